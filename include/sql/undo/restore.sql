-- Puts back what the target deleted, ids included. Where a later run made the same school, person or class anew, the
-- old row returns and the pair is left in merge_pairs for matching/move.sql.
-- In: sync.changes; run_id, district_id, target.
-- Out: undo_rows, merge_pairs; portal.*, sync.changes, sync.findings.
create temporary table undo_rows on commit drop as
select distinct on (c.table_name, c.key) c.* from sync.changes c
where c.run_id = %(target)s and c.action = 'delete' order by c.table_name, c.key, c.id;
analyze undo_rows;

-- A pair's new row goes, and its old one takes over what belongs to it. New is a row that was made since the target
-- and has the old one's id now, or had it. Where the id is by now that of a row which was there before (a match, a
-- person's word, an undo), that row stays as it is and takes over from the one that would come back. Each row is in
-- one pair.
create temporary table merge_pairs (entity text, new_id bigint, old_id bigint) on commit drop;
insert into merge_pairs
with lost as (
  select table_name as entity, (key ->> 'id')::bigint as id, before ->> 'issuer' as issuer,
    before ->> 'source_id' as source_id
  from undo_rows where table_name in ('schools', 'users', 'classes')
), present as (
  select 'schools' as entity, id, issuer, source_id, created_run_id from portal.schools
  where district_id = %(district_id)s
  union all select 'users', id, issuer, source_id, created_run_id from portal.users where district_id = %(district_id)s
  union all select 'classes', id, issuer, source_id, created_run_id from portal.classes
  where district_id = %(district_id)s
), named as (
  select l.entity, l.id, p.id as by_id, p.created_run_id > %(target)s is true as is_new
  from lost l join present p on p.entity = l.entity and p.issuer = l.issuer and p.source_id = l.source_id
), pairs as (
  select 1 as rank, entity, by_id as new_id, id as old_id from named where is_new
  union all
  select 2, l.entity, p.id, l.id
  from lost l
  join sync.former_ids i on i.district_id = %(district_id)s and i.entity = l.entity and i.issuer = l.issuer
    and i.source_id = l.source_id
  join present p on p.entity = l.entity and p.id = i.row_id and p.id <> l.id and p.created_run_id > %(target)s
), made_anew as (
  select distinct on (o.entity, o.new_id) o.entity, o.new_id, o.old_id
  from (select distinct on (entity, old_id) * from pairs order by entity, old_id, rank, new_id) o
  order by o.entity, o.new_id, o.rank, o.old_id
)
select * from made_anew
union all
select n.entity, n.id, n.by_id from named n
where not n.is_new and not exists (select from made_anew m where m.entity = n.entity and m.old_id = n.id);
analyze merge_pairs;

-- What people did to a new row itself goes on with the old one: a role that they gave, and that they disabled the
-- person.
create temporary table given_since on commit drop as
select m.old_id,
  case when n.role <> n.created_role then jsonb_build_object('role', n.role) else '{}' end
  || case when not n.is_enabled and n.is_enabled_at_source is distinct from false
       then jsonb_build_object('is_enabled', false, 'is_enabled_at_source', n.is_enabled_at_source) else '{}' end
  || case when n.is_dummy then jsonb_build_object('is_dummy', true) else '{}' end as by_hand
from merge_pairs m join portal.users n on n.id = m.new_id
where m.entity = 'users';

-- The new rows make room: one source id, one row.
update portal.schools p set source_id = null from merge_pairs m where m.entity = 'schools' and p.id = m.new_id;
update portal.users p set source_id = null from merge_pairs m where m.entity = 'users' and p.id = m.new_id;
update portal.classes p set source_id = null from merge_pairs m where m.entity = 'classes' and p.id = m.new_id;

-- An id that another row keeps does not come back, and who made a new row disabled, or gave it a role, did so to the
-- old one.
create temporary table undo_overlays on commit drop as
select u.table_name, u.key, '{"source_id": null}'::jsonb as overlay
from undo_rows u
where case u.table_name
  when 'schools' then exists (select from portal.schools p
    where p.district_id = %(district_id)s and p.issuer = u.before ->> 'issuer'
      and p.source_id = u.before ->> 'source_id')
  when 'users' then exists (select from portal.users p
    where p.district_id = %(district_id)s and p.issuer = u.before ->> 'issuer'
      and p.source_id = u.before ->> 'source_id')
  when 'classes' then exists (select from portal.classes p
    where p.district_id = %(district_id)s and p.issuer = u.before ->> 'issuer'
      and p.source_id = u.before ->> 'source_id')
  else false end
union all
select 'users', jsonb_build_object('id', g.old_id), g.by_hand from given_since g where g.by_hand <> '{}';
insert into sync.findings (run_id, entity, source_id, severity, rule, message)
select %(run_id)s, u.table_name, u.before ->> 'source_id', 'info', 'taken_over',
  'What hung on this row is back, on the row that has its id at the source by now; that row was there before and stays.'
from undo_rows u join merge_pairs m on m.entity = u.table_name and m.new_id = (u.key ->> 'id')::bigint;
update undo_rows u set before = u.before || o.overlay
from (select table_name, key, jsonb_object_agg(k, v) as overlay from undo_overlays cross
  join jsonb_each(overlay) e (k, v) group by 1, 2) o
where o.table_name = u.table_name and o.key = u.key;

with come as (
  insert into portal.schools
  select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.schools, u.before) r
  where u.table_name = 'schools'
  returning *)
insert into sync.changes (run_id, table_name, key, action, after)
select %(run_id)s, 'schools', jsonb_build_object('id', id), 'insert', to_jsonb(come) from come;
with come as (
  insert into portal.users
  select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.users, u.before) r
  where u.table_name = 'users'
  returning *)
insert into sync.changes (run_id, table_name, key, action, after)
select %(run_id)s, 'users', jsonb_build_object('id', id), 'insert', to_jsonb(come) from come;
with come as (
  insert into portal.classes
  select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.classes, u.before) r
  where u.table_name = 'classes' and exists (select from portal.schools s where s.id = r.school_id)
  returning *)
insert into sync.changes (run_id, table_name, key, action, after)
select %(run_id)s, 'classes', jsonb_build_object('id', id), 'insert', to_jsonb(come) from come;
insert into sync.findings (run_id, entity, source_id, severity, rule, message)
select %(run_id)s, 'classes', u.before ->> 'source_id', 'warning', 'not_restored',
  'This class could not be put back, because a later run deleted its school.'
  ' Undo that run too, or sync the school again.'
from undo_rows u
where u.table_name = 'classes' and not exists (select from portal.classes c where c.id = (u.key ->> 'id')::bigint);

-- What a later run made anew from the feed and was made by hand before is by hand again.
with come as (
  insert into portal.user_schools
  select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.user_schools, u.before) r
  where u.table_name = 'user_schools' and exists (select from portal.users p where p.id = r.user_id)
    and exists (select from portal.schools p where p.id = r.school_id)
  on conflict (user_id, school_id) do update set origin = 'manual'
    where excluded.origin = 'manual' and portal.user_schools.origin = 'sync'
  returning to_jsonb(old) as before, to_jsonb(new) as after, new.user_id, new.school_id)
insert into sync.changes (run_id, table_name, key, action, before, after)
select %(run_id)s, 'user_schools', jsonb_build_object('user_id', user_id, 'school_id', school_id),
  case when before is null then 'insert' else 'update' end, before, after from come;
with come as (
  insert into portal.enrollments
  select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.enrollments, u.before) r
  where u.table_name = 'enrollments' and exists (select from portal.users p where p.id = r.user_id)
    and exists (select from portal.classes p where p.id = r.class_id)
  on conflict (class_id, user_id, role) do update set origin = 'manual'
    where excluded.origin = 'manual' and portal.enrollments.origin = 'sync'
  returning to_jsonb(old) as before, to_jsonb(new) as after, new.class_id, new.user_id, new.role)
insert into sync.changes (run_id, table_name, key, action, before, after)
select %(run_id)s, 'enrollments', jsonb_build_object('class_id', class_id, 'user_id', user_id, 'role', role),
  case when before is null then 'insert' else 'update' end, before, after from come;

with come as (
  insert into portal.license_assignments
  select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.license_assignments, u.before) r
  where u.table_name = 'license_assignments'
    and (r.school_id is null or exists (select from portal.schools p where p.id = r.school_id))
    and (r.user_id is null or exists (select from portal.users p where p.id = r.user_id))
    and exists (select from portal.products p where p.id = r.product_id)
  on conflict do nothing returning *)
insert into sync.changes (run_id, table_name, key, action, after)
select %(run_id)s, 'license_assignments', jsonb_build_object('id', id), 'insert', to_jsonb(come) from come;
with come as (
  insert into portal.class_books
  select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.class_books, u.before) r
  where u.table_name = 'class_books' and exists (select from portal.classes p where p.id = r.class_id)
    and exists (select from portal.books p where p.id = r.book_id)
  on conflict do nothing returning *)
insert into sync.changes (run_id, table_name, key, action, after)
select %(run_id)s, 'class_books', to_jsonb(come), 'insert', to_jsonb(come) from come;
with come as (
  insert into portal.student_books
  select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.student_books, u.before) r
  where u.table_name = 'student_books' and exists (select from portal.users p where p.id = r.user_id)
    and exists (select from portal.classes p where p.id = r.class_id)
    and exists (select from portal.books p where p.id = r.book_id)
  on conflict do nothing returning *)
insert into sync.changes (run_id, table_name, key, action, after)
select %(run_id)s, 'student_books', to_jsonb(come), 'insert', to_jsonb(come) from come;
insert into sync.findings (run_id, entity, severity, rule, message)
select %(run_id)s, g.entity, 'warning', 'not_restored', g.message
from (
  select 'licenses' as entity,
    'Licenses of a product that is no longer sold were not given back.'
    ' Give another product, where one is needed.' as message
  where exists (select from undo_rows u where u.table_name = 'license_assignments'
                and not exists (select from portal.products p where p.id = (u.before ->> 'product_id')::bigint))
  union all
  select 'books', 'Books that are no longer in the catalog were not given back. Give other ones, where they are needed.'
  where exists (select from undo_rows u where u.table_name in ('class_books', 'student_books')
                and not exists (select from portal.books p where p.id = (u.before ->> 'book_id')::bigint))) g;

-- Every id leads to the row that is back.
update sync.former_ids i set row_id = m.old_id
from merge_pairs m where i.district_id = %(district_id)s and i.entity = m.entity and i.row_id = m.new_id;
