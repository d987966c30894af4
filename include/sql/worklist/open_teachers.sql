-- Opens an item for each teacher whom the sync added and who has no unexpired license of their own. In: run_id,
-- district_id. Opened once a teacher, whatever run added them, so that a run that died before its worklist is caught up
-- by the next.
insert into sync.worklist (district_id, kind, subject_type, subject_id, opened_run_id)
select u.district_id, 'teacher_needs_license', 'user', u.id, %(run_id)s
from portal.users u
where u.district_id = %(district_id)s and u.role = 'teacher' and u.origin = 'sync' and u.is_shared
  and u.created_run_id is not null
  and not exists (select from sync.worklist w
    where w.district_id = u.district_id and w.kind = 'teacher_needs_license' and w.subject_id = u.id)
  and not exists (select from portal.license_assignments a
    where a.user_id = u.id and (a.expires_on is null or a.expires_on >= current_date))
on conflict do nothing;
