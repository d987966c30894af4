-- Who started, approved and undid each run, under which settings, and how it ended.
create view sync.audit_runs as
select r.id as run_id, d.key as district, d.name as district_name, r.mode, r.trigger, r.status, r.started_at,
  r.finished_at, r.wrote_at, r.started_by, r.reason, r.parameters, r.plan -> 'settings' as settings, r.issuer,
  r.source_revision, r.message, h.asked_at, h.answer, h.answered_by, h.answered_at, h.reason as answer_reason,
  h.superseded_by as superseded_by_run_id, r.undoes_run_id, u.id as undone_by_run_id, u.started_by as undone_by,
  u.finished_at as undone_at, u.reason as undone_reason, r.airflow_dag_id, r.airflow_run_id
from sync.runs r
join portal.districts d on d.id = r.district_id
left join lateral (select * from sync.holds x where x.run_id = r.id order by x.id desc limit 1) h on true
left join lateral (
  select * from sync.runs x
  where x.undoes_run_id = r.id and x.mode = 'undo' and x.wrote_at is not null order by x.id desc limit 1) u on true;
comment on view sync.audit_runs is
  'Audit: every run, who started it and why, its last question and answer, and the run that undid it.';
grant select on sync.audit_runs to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
