-- What each run received and did, per kind of row, with how many rows the portal held before and after.
create view sync.audit_counts as
select c.run_id, d.key as district, r.mode, r.status, c.entity, c.before, c.after, c.received, c.rejected, c.warned,
  c.added, c.updated, c.unchanged, c.unshared, c.restored, c.deleted, c.held
from sync.run_counts c join sync.runs r on r.id = c.run_id join portal.districts d on d.id = r.district_id;
comment on view sync.audit_counts is 'Audit: the counts of every run, by district and kind of row.';
grant select on sync.audit_counts to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
