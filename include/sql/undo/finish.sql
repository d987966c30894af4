-- Records the Undo: ids, selections, counts; the target is undone.
-- In: undo_ids; run_id, district_id, target.
-- Out: sync.former_ids, sync.school_selection, sync.worklist, sync.run_counts, sync.runs.
delete from sync.former_ids i
where i.district_id = %(district_id)s and i.first_seen_run_id = %(target)s and case i.entity
  when 'schools' then not exists (select from portal.schools p where p.id = i.row_id)
  when 'users' then not exists (select from portal.users p where p.id = i.row_id)
  else not exists (select from portal.classes p where p.id = i.row_id) end;
-- a selection that followed its school's id follows it back
update sync.school_selection s set source_id = u.source_id
from undo_ids u
where u.table_name = 'schools' and u.source_id <> u.source_id_now and s.district_id = %(district_id)s
  and s.source_id = u.source_id_now
  and not exists (select from sync.school_selection x
    where x.district_id = %(district_id)s and x.source_id = u.source_id);
-- what waited for a row that went along with another waits for it again
update sync.worklist w
set subject_id = coalesce((c.before ->> 'subject_id')::bigint, w.subject_id),
  second_subject_id = coalesce((c.before ->> 'second_subject_id')::bigint, w.second_subject_id)
from sync.changes c
where c.run_id = %(target)s and c.table_name = 'worklist' and w.id = (c.key ->> 'id')::bigint and w.resolved_at is null;
-- two people who were made one are two again, and the question about them is open again
update sync.worklist w set resolved_at = null, resolved_by = null, resolution = null, detail = w.detail - 'run_id'
where w.district_id = %(district_id)s and w.kind = 'match_review' and w.resolution = 'same'
  and (w.detail ->> 'run_id')::bigint = %(target)s;

insert into sync.run_counts (run_id, entity, added, updated, deleted)
select %(run_id)s, k.entity, count(distinct c.key) filter (where c.action = 'insert'),
  count(distinct c.key) filter (where c.action = 'update'), count(distinct c.key) filter (where c.action = 'delete')
from (values ('schools', 'schools', null), ('teachers', 'users', 'teacher'), ('students', 'users', 'student'),
  ('admins', 'users', 'admin'),
      ('classes', 'classes', null), ('enrollments', 'enrollments', null), ('licenses', 'license_assignments', null),
      ('books', 'student_books', null))
  k (entity, table_name, role)
left join (
  select c.*, case when c.table_name = 'users' then
    case coalesce(u.role, c.after ->> 'role', c.before ->> 'role') when 'teacher' then 'teacher'
      when 'student' then 'student' else 'admin' end end as role
  from sync.changes c left join portal.users u on c.table_name = 'users' and u.id = (c.key ->> 'id')::bigint
  where c.run_id = %(run_id)s) c on c.table_name = k.table_name and c.role is not distinct from k.role
group by k.entity
on conflict (run_id, entity) do update set added = excluded.added, updated = excluded.updated,
  deleted = excluded.deleted;

update sync.runs set wrote_at = coalesce(wrote_at, clock_timestamp()), undoes_run_id = %(target)s where id = %(run_id)s;
update sync.runs set status = 'undone' where id = %(target)s;
