-- Puts back what the target deleted, ids included. Where a later run made the same school, person or class anew, the old row
-- returns and the pair is left in merge_pairs for merge/*.sql. In: target. Out: temporary undo_rows, merge_pairs.
create temporary table undo_rows on commit drop as
select distinct on (c.table_name, c.key) c.* from sync.changes c
where c.run_id = %(target)s and c.action = 'delete' order by c.table_name, c.key, c.id;
analyze undo_rows;

create temporary table merge_pairs (entity text, new_id bigint, old_id bigint) on commit drop;
insert into merge_pairs
select u.table_name, i.row_id, (u.key ->> 'id')::bigint
from undo_rows u
join sync.source_ids i on i.district_id = %(district_id)s and i.entity = u.table_name
  and i.issuer = u.before ->> 'issuer' and i.source_id = u.before ->> 'source_id' and i.row_id <> (u.key ->> 'id')::bigint
where u.table_name in ('schools', 'users', 'classes') and case u.table_name
  when 'schools' then exists (select from portal.schools p where p.id = i.row_id)
  when 'users' then exists (select from portal.users p where p.id = i.row_id)
  else exists (select from portal.classes p where p.id = i.row_id) end;

-- The new rows make room: one source id, one row.
update portal.schools p set source_id = null from merge_pairs m where m.entity = 'schools' and p.id = m.new_id;
update portal.users p set source_id = null from merge_pairs m where m.entity = 'users' and p.id = m.new_id;
update portal.classes p set source_id = null from merge_pairs m where m.entity = 'classes' and p.id = m.new_id;

insert into portal.schools
select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.schools, u.before) r where u.table_name = 'schools';
insert into portal.users
select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.users, u.before) r where u.table_name = 'users';
insert into portal.classes
select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.classes, u.before) r
where u.table_name = 'classes' and exists (select from portal.schools s where s.id = r.school_id);

insert into portal.user_schools
select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.user_schools, u.before) r
where u.table_name = 'user_schools' and exists (select from portal.users p where p.id = r.user_id)
  and exists (select from portal.schools p where p.id = r.school_id)
on conflict do nothing;
insert into portal.enrollments
select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.enrollments, u.before) r
where u.table_name = 'enrollments' and exists (select from portal.users p where p.id = r.user_id)
  and exists (select from portal.classes p where p.id = r.class_id)
on conflict do nothing;
insert into portal.license_assignments
select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.license_assignments, u.before) r
where u.table_name = 'license_assignments' and (r.school_id is null or exists (select from portal.schools p where p.id = r.school_id))
  and (r.user_id is null or exists (select from portal.users p where p.id = r.user_id))
on conflict do nothing;
insert into portal.class_books
select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.class_books, u.before) r
where u.table_name = 'class_books' and exists (select from portal.classes p where p.id = r.class_id)
on conflict do nothing;
insert into portal.student_books
select r.* from undo_rows u cross join lateral jsonb_populate_record(null::portal.student_books, u.before) r
where u.table_name = 'student_books' and exists (select from portal.users p where p.id = r.user_id)
  and exists (select from portal.classes p where p.id = r.class_id)
on conflict do nothing;

insert into sync.changes (run_id, table_name, key, action, after)
select %(run_id)s, u.table_name, u.key, 'insert', u.before from undo_rows u;
update sync.source_ids i set row_id = m.old_id
from merge_pairs m where i.district_id = %(district_id)s and i.entity = m.entity and i.row_id = m.new_id;
