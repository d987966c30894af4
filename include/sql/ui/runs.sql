-- A district's runs, newest first, keyset by id, with what each did. Index: runs_district.
select r.id, r.mode, r.trigger, r.status, r.started_at, r.finished_at, r.started_by, r.message, r.undoes_run_id,
  r.parameters,
  extract(epoch from coalesce(r.finished_at, now()) - r.started_at)::float8 as seconds,
  c.added, c.updated, c.removed, c.rejected, c.held
from (select * from sync.runs s where s.district_id = %(district)s
        and (%(before)s::bigint is null or s.id < %(before)s) order by s.id desc limit %(limit)s) r
left join lateral (
  select sum(k.added + k.restored)::bigint as added, sum(k.updated)::bigint as updated,
    sum(k.unshared + k.deleted)::bigint as removed, sum(k.rejected)::bigint as rejected, sum(k.held)::bigint as held
  from sync.run_counts k where k.run_id = r.id) c on true
order by r.id desc;
