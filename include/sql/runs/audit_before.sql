-- Counts what the portal holds before a Reset or an Undo writes. In: run_id, district_id.
insert into sync.run_counts (run_id, entity, before)
select %(run_id)s, entity, n from (
  select 'schools' as entity, count(*) as n from portal.schools where district_id = %(district_id)s
  union all select 'teachers', count(*) from portal.users where district_id = %(district_id)s and role = 'teacher'
  union all select 'students', count(*) from portal.users where district_id = %(district_id)s and role = 'student'
  union all select 'admins', count(*) from portal.users
  where district_id = %(district_id)s and role in ('school_admin', 'district_admin')
  union all select 'classes', count(*) from portal.classes where district_id = %(district_id)s
  union all select 'enrollments', count(*) from portal.enrollments e join portal.classes c on c.id = e.class_id
  where c.district_id = %(district_id)s
  union all select 'licenses', count(*) from portal.license_assignments where district_id = %(district_id)s
  union all select 'books', count(*) from portal.student_books b join portal.classes c on c.id = b.class_id
  where c.district_id = %(district_id)s) c
on conflict (run_id, entity) do update set before = excluded.before;
