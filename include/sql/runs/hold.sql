-- The newest question of a run, with what decides whether its answer may still be carried out. In: run_id, timezone.
select h.superseded_by, h.answer, h.answered_by, h.applied_at, r.status, r.airflow_run_id,
  coalesce(s.expires_on < (now() at time zone %(timezone)s)::date, false) as is_expired
from sync.holds h join sync.runs r on r.id = h.run_id join sync.settings s on s.district_id = r.district_id
where h.run_id = %(run_id)s order by h.id desc limit 1;
