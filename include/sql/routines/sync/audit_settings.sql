-- Who changed which setting of a district, and when.
create view sync.audit_settings as
select d.key as district, s.changed_at, s.changed_by, s.setting, s.before, s.after
from sync.settings_history s join portal.districts d on d.id = s.district_id;
comment on view sync.audit_settings is 'Audit: every change of a district''s settings.';
grant select on sync.audit_settings to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
