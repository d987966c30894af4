-- Deletes what the plan says, what depends on a row before the row, each row kept whole in sync.changes. Also what
-- was added to such a row since the plan: it would be deleted with it, so its image is taken, too. Licenses and
-- books have no DELETE here: their foreign keys (on delete cascade) free them; reset/images.sql has kept their
-- images before.
-- In: staging.plan.
-- Out: portal.*, sync.changes.
create temporary table users_to_delete on commit drop as
select row_id as id from staging.plan where run_id = %(run_id)s and entity = 'users' and action = 'delete';
create temporary table classes_to_delete on commit drop as
select row_id as id from staging.plan where run_id = %(run_id)s and entity = 'classes' and action = 'delete';
create temporary table schools_to_delete on commit drop as
select row_id as id from staging.plan where run_id = %(run_id)s and entity = 'schools' and action = 'delete';
analyze users_to_delete;
analyze classes_to_delete;
analyze schools_to_delete;

with gone as (
  delete from portal.enrollments e
  where e.class_id in (select id from classes_to_delete) or e.user_id in (select id from users_to_delete)
  returning to_jsonb(e) as before
)
insert into sync.changes (run_id, table_name, key, action, before, phase)
select %(run_id)s, 'enrollments',
  jsonb_build_object('class_id', before -> 'class_id', 'user_id', before -> 'user_id', 'role', before -> 'role'),
  'delete', before, 'removals'
from gone;
with gone as (
  delete from portal.enrollments e using staging.plan p
  where p.run_id = %(run_id)s and p.entity = 'enrollments' and p.action = 'delete'
    and e.class_id = p.class_id and e.user_id = p.user_id and e.role = p.role
  returning to_jsonb(e) as before
)
insert into sync.changes (run_id, table_name, key, action, before, phase)
select %(run_id)s, 'enrollments',
  jsonb_build_object('class_id', before -> 'class_id', 'user_id', before -> 'user_id', 'role', before -> 'role'),
  'delete', before, 'removals'
from gone;

with gone as (
  delete from portal.user_schools us
  where us.user_id in (select id from users_to_delete) or us.school_id in (select id from schools_to_delete)
  returning to_jsonb(us) as before
)
insert into sync.changes (run_id, table_name, key, action, before, phase)
select %(run_id)s, 'user_schools',
  jsonb_build_object('user_id', before -> 'user_id', 'school_id', before -> 'school_id'), 'delete', before, 'removals'
from gone;
with gone as (
  delete from portal.user_schools us using staging.plan p
  where p.run_id = %(run_id)s and p.entity = 'user_schools' and p.action = 'delete'
    and us.user_id = p.user_id and us.school_id = p.school_id
  returning to_jsonb(us) as before
)
insert into sync.changes (run_id, table_name, key, action, before, phase)
select %(run_id)s, 'user_schools',
  jsonb_build_object('user_id', before -> 'user_id', 'school_id', before -> 'school_id'), 'delete', before, 'removals'
from gone;

with gone as (delete from portal.classes c
  where c.id in (select id from classes_to_delete) returning to_jsonb(c) as before)
insert into sync.changes (run_id, table_name, key, action, before, phase)
select %(run_id)s, 'classes', jsonb_build_object('id', before -> 'id'), 'delete', before, 'removals' from gone;
with gone as (delete from portal.users u where u.id in (select id from users_to_delete) returning to_jsonb(u) as before)
insert into sync.changes (run_id, table_name, key, action, before, phase)
select %(run_id)s, 'users', jsonb_build_object('id', before -> 'id'), 'delete', before, 'removals' from gone;
with gone as (delete from portal.schools s
  where s.id in (select id from schools_to_delete) returning to_jsonb(s) as before)
insert into sync.changes (run_id, table_name, key, action, before, phase)
select %(run_id)s, 'schools', jsonb_build_object('id', before -> 'id'), 'delete', before, 'removals' from gone;
