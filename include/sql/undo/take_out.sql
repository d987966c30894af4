-- Takes out what the target added, where people have added nothing to it; else it stays, with its school and class,
-- and is reported. What later runs added to a row that is taken out goes with it: the next nightly run follows the
-- feed again.
-- In: sync.changes; run_id, district_id, target.
-- Out: portal.*, sync.changes, sync.findings.
create temporary table added_users on commit drop as
select u.id from portal.users u
where u.district_id = %(district_id)s and u.created_run_id = %(target)s and u.origin = 'sync';
create temporary table added_classes on commit drop as
select c.id, c.school_id from portal.classes c
where c.district_id = %(district_id)s and c.created_run_id = %(target)s and c.origin = 'sync';
create temporary table added_schools on commit drop as
select s.id from portal.schools s
where s.district_id = %(district_id)s and s.created_run_id = %(target)s and s.origin = 'sync';
analyze added_users;
analyze added_classes;
-- Locked before the question what people added to them: nobody gives a license or a book to a row that is then deleted.
select 1 from portal.schools where id in (select id from added_schools) order by id for update;
select 1 from portal.users where id in (select id from added_users) order by id for update;
select 1 from portal.classes where id in (select id from added_classes) order by id for update;

create temporary table staying_users on commit drop as
select a.id from added_users a join portal.users u on u.id = a.id
where exists (select from portal.license_assignments l where l.user_id = a.id)
  or exists (select from portal.student_books b where b.user_id = a.id)
  or exists (select from portal.enrollments e where e.user_id = a.id and e.origin = 'manual')
  or exists (select from portal.user_schools us where us.user_id = a.id and us.origin = 'manual')
  or (not u.is_enabled and u.is_enabled_at_source is distinct from false) or u.role <> u.created_role
  or exists (select from sync.worklist w
    where w.subject_type = 'user' and w.subject_id = a.id and w.resolved_at is not null
      and w.resolved_by is distinct from 'sync');
create temporary table staying_classes on commit drop as
select a.id, a.school_id from added_classes a
where exists (select from portal.class_books b where b.class_id = a.id)
  or exists (select from portal.student_books b where b.class_id = a.id)
  or exists (select from portal.enrollments e where e.class_id = a.id and e.origin = 'manual')
  or exists (select from portal.enrollments e join staying_users u on u.id = e.user_id
    where e.class_id = a.id and e.is_active);
create temporary table staying_schools on commit drop as
select a.id from added_schools a
where exists (select from portal.license_assignments l where l.school_id = a.id)
  or exists (select from portal.user_schools us where us.school_id = a.id and us.origin = 'manual')
  or exists (select from portal.user_schools us join staying_users u on u.id = us.user_id
    where us.school_id = a.id and us.is_active)
  or exists (select from staying_classes c where c.school_id = a.id)
  or exists (select from portal.classes c
    where c.school_id = a.id and not exists (select from added_classes x where x.id = c.id));

delete from added_users where id in (select id from staying_users);
delete from added_classes where id in (select id from staying_classes);
delete from added_schools where id in (select id from staying_schools);

insert into sync.findings (run_id, entity, source_id, severity, rule, message)
select %(run_id)s, s.entity, s.source_id, 'info', 'kept_by_undo',
  'This row was added by the run that was undone, but people have since added something to it'
  ' (a license, a book, a class), so it stays.'
from (
  select 'users' as entity, u.source_id from portal.users u join staying_users x on x.id = u.id union all
  select 'classes', c.source_id from portal.classes c join staying_classes x on x.id = c.id union all
  select 'schools', c.source_id from portal.schools c join staying_schools x on x.id = c.id) s;

with gone as (
  delete from portal.enrollments e
  where e.district_id = %(district_id)s and (
    e.user_id in (select id from added_users) or e.class_id in (select id from added_classes)
    or (e.created_run_id = %(target)s and e.origin = 'sync'
        and e.user_id not in (select id from staying_users) and e.class_id not in (select id from staying_classes)
        and not exists (select from portal.student_books b where b.user_id = e.user_id and b.class_id = e.class_id)
        and not exists (select from undo_rows u where u.table_name = 'enrollments'
          and (u.key ->> 'class_id')::bigint = e.class_id and (u.key ->> 'user_id')::bigint = e.user_id
            and u.key ->> 'role' = e.role)))
  returning to_jsonb(e) as before)
insert into sync.changes (run_id, table_name, key, action, before)
select %(run_id)s, 'enrollments',
  jsonb_build_object('class_id', before -> 'class_id', 'user_id', before -> 'user_id', 'role', before -> 'role'),
  'delete', before from gone;
with gone as (
  delete from portal.user_schools us
  where us.user_id in (select id from added_users) or us.school_id in (select id from added_schools)
    or (us.created_run_id = %(target)s and us.origin = 'sync' and us.user_id not in (select id from staying_users)
        and not exists (select from undo_rows u where u.table_name = 'user_schools'
          and (u.key ->> 'user_id')::bigint = us.user_id and (u.key ->> 'school_id')::bigint = us.school_id))
  returning to_jsonb(us) as before)
insert into sync.changes (run_id, table_name, key, action, before)
select %(run_id)s, 'user_schools',
  jsonb_build_object('user_id', before -> 'user_id', 'school_id', before -> 'school_id'), 'delete', before from gone;
with gone as (delete from portal.classes c where c.id in (select id from added_classes) returning to_jsonb(c) as before)
insert into sync.changes (run_id, table_name, key, action, before)
select %(run_id)s, 'classes', jsonb_build_object('id', before -> 'id'), 'delete', before from gone;
with gone as (delete from portal.users u where u.id in (select id from added_users) returning to_jsonb(u) as before)
insert into sync.changes (run_id, table_name, key, action, before)
select %(run_id)s, 'users', jsonb_build_object('id', before -> 'id'), 'delete', before from gone;
with gone as (delete from portal.schools s where s.id in (select id from added_schools) returning to_jsonb(s) as before)
insert into sync.changes (run_id, table_name, key, action, before)
select %(run_id)s, 'schools', jsonb_build_object('id', before -> 'id'), 'delete', before from gone;
