-- Opens an item for each synced, shared, selected school without an enabled school admin. In: run_id, district_id.
insert into sync.worklist (district_id, kind, subject_type, subject_id, opened_run_id)
select s.district_id, 'school_needs_admin', 'school', s.id, %(run_id)s
from portal.schools s
left join sync.settings t on t.district_id = s.district_id
left join sync.school_selection l on l.district_id = s.district_id and l.source_id = s.source_id
where s.district_id = %(district_id)s and s.origin = 'sync' and s.is_shared
  and (coalesce(t.school_mode, 'all') = 'all' or coalesce(l.is_selected, false))
  and not exists (select from portal.user_schools us join portal.users u on u.id = us.user_id
    where us.school_id = s.id and us.is_active and u.role = 'school_admin' and u.is_enabled)
on conflict do nothing;
