-- Every row that a run removed, as it was. Holds people's data, as the before-images do, and is purged with them.
create view sync.audit_removed as
select c.run_id, d.key as district, r.mode, r.status, r.wrote_at as removed_at, c.table_name, c.key,
  c.before as removed
from sync.changes c join sync.runs r on r.id = c.run_id join portal.districts d on d.id = r.district_id
where c.action = 'delete';
comment on view sync.audit_removed is 'Audit: every row that a run deleted, as it was before.';
grant select on sync.audit_removed to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
