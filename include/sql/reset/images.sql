-- Copies the licenses and books that a Reset frees to sync.changes, before anything is deleted (the rows are locked,
-- reset/lock.sql).
-- In: staging.plan.
-- Out: sync.changes, sync.run_counts.
insert into sync.changes (run_id, table_name, key, action, before, phase)
select %(run_id)s, 'license_assignments', jsonb_build_object('id', l.id), 'delete', to_jsonb(l), 'removals'
from portal.license_assignments l
where l.school_id in (select row_id from staging.plan
  where run_id = %(run_id)s and entity = 'schools' and action = 'delete')
   or l.user_id in (select row_id from staging.plan
     where run_id = %(run_id)s and entity = 'users' and action = 'delete');

insert into sync.changes (run_id, table_name, key, action, before, phase)
select %(run_id)s, 'student_books', to_jsonb(b), 'delete', to_jsonb(b), 'removals'
from portal.student_books b
where b.user_id in (select row_id from staging.plan
  where run_id = %(run_id)s and entity = 'users' and action = 'delete')
   or b.class_id in (select row_id from staging.plan
     where run_id = %(run_id)s and entity = 'classes' and action = 'delete');

insert into sync.changes (run_id, table_name, key, action, before, phase)
select %(run_id)s, 'class_books', to_jsonb(b), 'delete', to_jsonb(b), 'removals'
from portal.class_books b
where b.class_id in (select row_id from staging.plan
  where run_id = %(run_id)s and entity = 'classes' and action = 'delete');

insert into sync.run_counts (run_id, entity, deleted)
select %(run_id)s, e.entity,
  (select count(*) from sync.changes c
    where c.run_id = %(run_id)s and c.action = 'delete' and c.table_name = e.table_name)
from (values ('licenses', 'license_assignments'), ('books', 'student_books')) e (entity, table_name)
on conflict (run_id, entity) do update set deleted = excluded.deleted;
