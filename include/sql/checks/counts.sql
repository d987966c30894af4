-- What came, what was rejected, what lost a value, and what points nowhere: per entity, once.
insert into sync.run_counts (run_id, entity, received, rejected, warned)
select %(run_id)s, c.entity, c.received, c.rejected, c.warned
from (
  select 'schools' as entity, count(*) as received, count(*) filter (where is_rejected) as rejected,
    count(*) filter (where keep <> '{}') as warned
  from staging.schools where run_id = %(run_id)s
  union all
  select k.entity, count(u.run_id), count(u.run_id) filter (where u.is_rejected), count(u.run_id) filter (where u.keep <> '{}')
  from (values ('teachers'), ('students'), ('admins')) k (entity)
  left join staging.users u on u.run_id = %(run_id)s
    and k.entity = case u.roles[1] when 'teacher' then 'teachers' when 'student' then 'students' else 'admins' end
  group by k.entity
  union all
  select 'classes', count(*), count(*) filter (where is_rejected), count(*) filter (where keep <> '{}')
  from staging.classes where run_id = %(run_id)s
  union all
  select 'enrollments', count(*), count(*) filter (where is_rejected),
    count(*) filter (where not is_rejected and (((class_n is null or user_n is null) and not %(is_partial)s) or keep is not null))
  from staging.enrollments where run_id = %(run_id)s) c
on conflict (run_id, entity) do update
set received = excluded.received, rejected = excluded.rejected, warned = excluded.warned;
