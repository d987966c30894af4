-- The audit: who started, approved and undid what, under which settings, what there was before and after, and every row that
-- a run removed. Views over what the runs keep anyway; readable by roster_read.

-- The role that the sync gave at creation: one that people gave since is known by the difference, and then an undo does not
-- take the person out.
alter table portal.users add column created_role text;

-- How many rows the portal held before and after a run; counted by Reset and Undo, null for an Edit (a night on which
-- nothing changed counts nothing).
alter table sync.run_counts add column before bigint, add column after bigint;

create view sync.audit_runs as
select r.id as run_id, d.key as district, d.name as district_name, r.mode, r.trigger, r.status, r.started_at, r.finished_at,
  r.wrote_at, r.started_by, r.reason, r.parameters, r.plan -> 'settings' as settings, r.issuer, r.source_revision, r.message,
  h.asked_at, h.answer, h.answered_by, h.answered_at, h.reason as answer_reason, h.superseded_by as superseded_by_run_id,
  r.undoes_run_id, u.id as undone_by_run_id, u.started_by as undone_by, u.finished_at as undone_at, u.reason as undone_reason,
  r.airflow_dag_id, r.airflow_run_id
from sync.runs r
join portal.districts d on d.id = r.district_id
left join lateral (select * from sync.holds x where x.run_id = r.id order by x.id desc limit 1) h on true
left join lateral (
  select * from sync.runs x where x.undoes_run_id = r.id and x.mode = 'undo' and x.wrote_at is not null order by x.id desc limit 1) u on true;

-- Every question and every answer, also those that a later question of the same run replaced.
create view sync.audit_answers as
select h.run_id, d.key as district, r.mode, h.scope, h.asked_at, h.due_at, h.answer, h.answered_by, h.answered_at, h.reason,
  h.superseded_by as superseded_by_run_id, h.applied_at, h.plan_digest
from sync.holds h join sync.runs r on r.id = h.run_id join portal.districts d on d.id = r.district_id;

create view sync.audit_counts as
select c.run_id, d.key as district, r.mode, r.status, c.entity, c.before, c.after, c.received, c.rejected, c.warned, c.added,
  c.updated, c.unchanged, c.unshared, c.restored, c.deleted, c.held
from sync.run_counts c join sync.runs r on r.id = c.run_id join portal.districts d on d.id = r.district_id;

-- Every row that a run removed, as it was. Holds people's data, as the before-images do, and goes with them.
create view sync.audit_removed as
select c.run_id, d.key as district, r.mode, r.status, r.wrote_at as removed_at, c.table_name, c.key, c.before as removed
from sync.changes c join sync.runs r on r.id = c.run_id join portal.districts d on d.id = r.district_id
where c.action = 'delete';

create view sync.audit_settings as
select d.key as district, s.changed_at, s.changed_by, s.setting, s.before, s.after
from sync.settings_history s join portal.districts d on d.id = s.district_id;

grant select on sync.audit_runs, sync.audit_answers, sync.audit_counts, sync.audit_removed, sync.audit_settings
  to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
