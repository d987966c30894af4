-- The last 14 runs of each of the districts on one page, newest first, with the number of rows each changed.
select r.district_id, r.id, r.status, r.started_at, c.changes
from unnest(%(districts)s::bigint[]) as wanted (id)
cross join lateral (
  select s.district_id, s.id, s.status, s.started_at from sync.runs s
  where s.district_id = wanted.id and (s.steps <> '[]' or s.status <> 'launched') order by s.id desc limit 14) r
left join lateral (
  select sum(k.added + k.updated + k.unshared + k.restored + k.deleted)::bigint as changes
  from sync.run_counts k where k.run_id = r.id) c on true
order by r.district_id, r.id desc;
