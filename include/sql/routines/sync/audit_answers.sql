-- Every question and every answer, also those that a later question of the same run replaced.
create view sync.audit_answers as
select h.run_id, d.key as district, r.mode, h.scope, h.asked_at, h.due_at, h.answer, h.answered_by, h.answered_at,
  h.reason, h.superseded_by as superseded_by_run_id, h.applied_at, h.plan_digest
from sync.holds h join sync.runs r on r.id = h.run_id join portal.districts d on d.id = r.district_id;
comment on view sync.audit_answers is 'Audit: every question about held rows, who answered it, when and why.';
grant select on sync.audit_answers to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
