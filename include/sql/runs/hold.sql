-- The newest question of a run, with what decides whether its answer may still be carried out.
select h.*, r.status, r.mode, r.airflow_run_id, r.district_id,
  coalesce(s.expires_on < (now() at time zone %(timezone)s)::date, false) as is_expired
from sync.holds h join sync.runs r on r.id = h.run_id join sync.settings s on s.district_id = r.district_id
where h.run_id = %(run_id)s order by h.id desc limit 1;
