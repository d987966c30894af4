-- One run of a district, with its open question if one waits and the run that undid it. Index: runs_pkey.
select r.*, extract(epoch from coalesce(r.finished_at, now()) - r.started_at)::float8 as seconds,
  extract(epoch from now() - r.started_at)::float8 / 86400 as age_days,
  (select u.id from sync.runs u where u.undoes_run_id = r.id and u.district_id = r.district_id
     and u.status in ('launched', 'in_progress') order by u.id desc limit 1) as undone_by
from sync.runs r where r.id = %(run)s and r.district_id = %(district)s;
