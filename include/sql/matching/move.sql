-- Of each pair (temporary merge_pairs: entity, new_id, old_id) the old row takes over everything of the new one:
-- enrollments, schools, licenses, books, classes; then the new row goes. Each step leaves its image in sync.changes of
-- this run.
-- What both have stays once; where one is active, it is active; where one was made by hand, it is by hand: no Edit
-- ends it.

-- Locked first: nobody gives a license or a book to a row that is then deleted.
select 1 from portal.schools
  where id in (select new_id from merge_pairs where entity = 'schools') order by id for update;
select 1 from portal.users where id in (select new_id from merge_pairs where entity = 'users') order by id for update;
select 1 from portal.classes
  where id in (select new_id from merge_pairs where entity = 'classes') order by id for update;

-- schools
with moved as (
  update portal.classes c set school_id = m.old_id from merge_pairs m
  where m.entity = 'schools' and c.school_id = m.new_id returning to_jsonb(old) as before, to_jsonb(new) as after)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'classes', jsonb_build_object('id', before -> 'id'), 'update', d.*
from moved, sync.difference(before, after) d;

create temporary table moving_memberships on commit drop as
select us.user_id as from_user, us.school_id as from_school, coalesce(mu.old_id, us.user_id) as user_id,
  coalesce(ms.old_id, us.school_id) as school_id, us.*::portal.user_schools as row
from portal.user_schools us
left join merge_pairs mu on mu.entity = 'users' and mu.new_id = us.user_id
left join merge_pairs ms on ms.entity = 'schools' and ms.new_id = us.school_id
where mu.new_id is not null or ms.new_id is not null;
with gone as (
  delete from portal.user_schools us using moving_memberships m
  where us.user_id = m.from_user and us.school_id = m.from_school returning to_jsonb(us) as before)
insert into sync.changes (run_id, table_name, key, action, before)
select %(run_id)s, 'user_schools',
  jsonb_build_object('user_id', before -> 'user_id', 'school_id', before -> 'school_id'), 'delete', before from gone;
with wanted as (
  select user_id, school_id, bool_or((m.row).is_active) as is_active, bool_or((m.row).origin = 'manual') as is_manual
  from moving_memberships m group by user_id, school_id
), changed as (
  update portal.user_schools t
  set is_active = t.is_active or w.is_active, ended_at = case when w.is_active then null else t.ended_at end,
    origin = case when w.is_manual then 'manual' else t.origin end
  from wanted w
  where t.user_id = w.user_id and t.school_id = w.school_id
    and ((w.is_active and not t.is_active) or (w.is_manual and t.origin = 'sync'))
  returning to_jsonb(old) as before, to_jsonb(new) as after)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'user_schools',
  jsonb_build_object('user_id', before -> 'user_id', 'school_id', before -> 'school_id'), 'update', d.*
from changed, sync.difference(before, after) d;
with come as (
  insert into portal.user_schools (user_id, school_id, is_primary, is_active, ended_at, origin, created_run_id,
    updated_run_id)
  select m.user_id, m.school_id, (m.row).is_primary, (m.row).is_active, (m.row).ended_at, (m.row).origin,
    (m.row).created_run_id, (m.row).updated_run_id
  from moving_memberships m order by (m.row).is_active desc, (m.row).origin on conflict do nothing returning *)
insert into sync.changes (run_id, table_name, key, action, after)
select %(run_id)s, 'user_schools', jsonb_build_object('user_id', user_id, 'school_id', school_id), 'insert',
  to_jsonb(come) from come;

-- people and classes: their enrollments
create temporary table moving_enrollments on commit drop as
select e.class_id as from_class, e.user_id as from_user, e.role as as_role, coalesce(mc.old_id, e.class_id) as class_id,
  coalesce(mu.old_id, e.user_id) as user_id, e.*::portal.enrollments as row
from portal.enrollments e
left join merge_pairs mu on mu.entity = 'users' and mu.new_id = e.user_id
left join merge_pairs mc on mc.entity = 'classes' and mc.new_id = e.class_id
where mu.new_id is not null or mc.new_id is not null;
with gone as (
  delete from portal.enrollments e using moving_enrollments m
  where e.class_id = m.from_class and e.user_id = m.from_user and e.role = m.as_role returning to_jsonb(e) as before)
insert into sync.changes (run_id, table_name, key, action, before)
select %(run_id)s, 'enrollments',
  jsonb_build_object('class_id', before -> 'class_id', 'user_id', before -> 'user_id', 'role', before -> 'role'),
  'delete', before from gone;
with wanted as (
  select class_id, user_id, as_role, bool_or((m.row).is_active) as is_active,
    bool_or((m.row).origin = 'manual') as is_manual,
    bool_or((m.row).is_active and (m.row).is_primary) as is_primary
  from moving_enrollments m group by class_id, user_id, as_role
), changed as (
  update portal.enrollments t
  set is_active = t.is_active or w.is_active, ended_at = case when w.is_active then null else t.ended_at end,
    is_primary = case when w.is_active and not t.is_active then w.is_primary else t.is_primary end,
    origin = case when w.is_manual then 'manual' else t.origin end
  from wanted w
  where t.class_id = w.class_id and t.user_id = w.user_id and t.role = w.as_role
    and ((w.is_active and not t.is_active) or (w.is_manual and t.origin = 'sync'))
  returning to_jsonb(old) as before, to_jsonb(new) as after)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'enrollments',
  jsonb_build_object('class_id', before -> 'class_id', 'user_id', before -> 'user_id', 'role', before -> 'role'),
  'update', d.*
from changed, sync.difference(before, after) d;
with come as (
  insert into portal.enrollments (district_id, class_id, user_id, role, is_primary, is_active, begins_on, ends_on,
    ended_at, origin, created_run_id, updated_run_id)
  select (m.row).district_id, m.class_id, m.user_id, m.as_role, (m.row).is_primary, (m.row).is_active,
    (m.row).begins_on, (m.row).ends_on, (m.row).ended_at, (m.row).origin, (m.row).created_run_id, (m.row).updated_run_id
  from moving_enrollments m order by (m.row).is_active desc, (m.row).origin on conflict do nothing returning *)
insert into sync.changes (run_id, table_name, key, action, after)
select %(run_id)s, 'enrollments', jsonb_build_object('class_id', class_id, 'user_id', user_id, 'role', role), 'insert',
  to_jsonb(come) from come;

-- what the rows name that this run has put in stays
select portal.check_references_of_run(%(run_id)s);

-- licenses, books
with moved as (
  update portal.license_assignments l set school_id = coalesce(ms.old_id, l.school_id),
    user_id = coalesce(mu.old_id, l.user_id)
  from portal.license_assignments k
  left join merge_pairs mu on mu.entity = 'users' and mu.new_id = k.user_id
  left join merge_pairs ms on ms.entity = 'schools' and ms.new_id = k.school_id
  where k.id = l.id and (mu.new_id is not null or ms.new_id is not null) returning to_jsonb(old) as before,
  to_jsonb(new) as after)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'license_assignments', jsonb_build_object('id', before -> 'id'), 'update', d.*
from moved, sync.difference(before, after) d;

with gone as (
  delete from portal.class_books b using merge_pairs m
  where m.entity = 'classes' and b.class_id = m.new_id returning b.*, m.old_id),
logged as (
  insert into sync.changes (run_id, table_name, key, action, before)
  select %(run_id)s, 'class_books', jsonb_build_object('class_id', class_id, 'book_id', book_id), 'delete',
    jsonb_build_object('class_id', class_id, 'book_id', book_id) from gone),
come as (
  insert into portal.class_books (class_id, book_id) select old_id, book_id
  from gone on conflict do nothing returning *)
insert into sync.changes (run_id, table_name, key, action, after)
select %(run_id)s, 'class_books', to_jsonb(come), 'insert', to_jsonb(come) from come;

with gone as (
  delete from portal.student_books b
  where b.user_id in (select new_id from merge_pairs where entity = 'users')
    or b.class_id in (select new_id from merge_pairs where entity = 'classes')
  returning b.*),
logged as (
  insert into sync.changes (run_id, table_name, key, action, before)
  select %(run_id)s, 'student_books', to_jsonb(gone), 'delete', to_jsonb(gone) from gone),
come as (
  insert into portal.student_books (user_id, class_id, book_id)
  select coalesce(mu.old_id, g.user_id), coalesce(mc.old_id, g.class_id), g.book_id
  from gone g
  left join merge_pairs mu on mu.entity = 'users' and mu.new_id = g.user_id
  left join merge_pairs mc on mc.entity = 'classes' and mc.new_id = g.class_id
  on conflict do nothing returning *)
insert into sync.changes (run_id, table_name, key, action, after)
select %(run_id)s, 'student_books', to_jsonb(come), 'insert', to_jsonb(come) from come;

-- what waits for a person follows: a license that a teacher needs, books that a student needs; where the old row waits
-- for the same, once. What else waits for one of the new rows is closed. Then the new rows go.
create temporary table moving_items on commit drop as
select distinct on (w.kind, m.subject_id, m.second_subject_id) w.id, m.subject_id, m.second_subject_id
from sync.worklist w
left join merge_pairs mu on mu.entity = 'users' and mu.new_id = w.subject_id
left join merge_pairs mc on mc.entity = 'classes' and w.kind = 'student_needs_books' and mc.new_id = w.second_subject_id
cross join lateral (
  select coalesce(mu.old_id, w.subject_id) as subject_id,
    coalesce(mc.old_id, w.second_subject_id) as second_subject_id) m
where w.district_id = %(district_id)s and w.kind in ('teacher_needs_license', 'student_needs_books')
  and w.resolved_at is null
  and (mu.new_id is not null or mc.new_id is not null)
  and not exists (
    select from sync.worklist o
    where o.district_id = w.district_id and o.kind = w.kind and o.resolved_at is null
      and o.subject_id = m.subject_id and o.second_subject_id is not distinct from m.second_subject_id)
order by w.kind, m.subject_id, m.second_subject_id, w.id;
with moved as (
  update sync.worklist w set subject_id = m.subject_id, second_subject_id = m.second_subject_id from moving_items m
  where w.id = m.id returning to_jsonb(old) as before, to_jsonb(new) as after)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'worklist', jsonb_build_object('id', before -> 'id'), 'update', d.*
from moved, sync.difference(before, after) d;
update sync.worklist w set resolved_at = now(), resolved_by = 'sync', resolution = 'deleted'
from merge_pairs m where w.resolved_at is null and w.district_id = %(district_id)s
  and ((m.entity = 'users' and w.subject_type = 'user' and w.subject_id = m.new_id)
    or (m.entity = 'schools' and w.subject_type = 'school' and w.subject_id = m.new_id));
with gone as (delete from portal.classes p using merge_pairs m
  where m.entity = 'classes' and p.id = m.new_id returning to_jsonb(p) as before)
insert into sync.changes (run_id, table_name, key, action, before)
select %(run_id)s, 'classes', jsonb_build_object('id', before -> 'id'), 'delete', before from gone;
with gone as (delete from portal.users p using merge_pairs m
  where m.entity = 'users' and p.id = m.new_id returning to_jsonb(p) as before)
insert into sync.changes (run_id, table_name, key, action, before)
select %(run_id)s, 'users', jsonb_build_object('id', before -> 'id'), 'delete', before from gone;
with gone as (delete from portal.schools p using merge_pairs m
  where m.entity = 'schools' and p.id = m.new_id returning to_jsonb(p) as before)
insert into sync.changes (run_id, table_name, key, action, before)
select %(run_id)s, 'schools', jsonb_build_object('id', before -> 'id'), 'delete', before from gone;
