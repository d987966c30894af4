-- The last runs, oldest first: what they found shared, how long each step took. Index: runs_district.
select r.id, r.started_at, r.status, r.mode, r.steps, r.wrote_at,
  extract(epoch from r.finished_at - r.started_at)::float8 as seconds,
  (select json_object_agg(c.entity, json_build_object('shared', c.added + c.updated + c.unchanged + c.restored,
     'added', c.added, 'gone', c.unshared + c.deleted, 'rejected', c.rejected))
     from sync.run_counts c where c.run_id = r.id) as counts
from (select * from sync.runs s
  where s.district_id = %(district)s and s.status not in ('in_progress', 'skipped', 'expired', 'previewed')
        and s.mode <> 'undo' and not s.parameters ? 'events' -- a part of a roster is no day's number
        and s.steps <> '[]' order by s.id desc limit %(limit)s) r
order by r.id;
