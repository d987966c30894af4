-- Counts what came, what was rejected, what lost a value, and what points nowhere: per entity, once.
-- In: user_counts, enrollment_counts, staging.schools, .classes.
insert into sync.run_counts (run_id, entity, received, rejected, warned)
select %(run_id)s, c.entity, c.received, c.rejected, c.warned
from (
  select 'schools' as entity, count(*) as received, count(*) filter (where is_rejected) as rejected,
    count(*) filter (where keep <> '{}') as warned
  from staging.schools where run_id = %(run_id)s
  union all
  select k.entity, coalesce(u.received, 0), coalesce(u.rejected, 0), coalesce(u.warned, 0)
  from (values ('teachers'), ('students'), ('admins')) k (entity)
  left join user_counts u on u.entity = k.entity
  union all
  select 'classes', count(*), count(*) filter (where is_rejected), count(*) filter (where keep <> '{}')
  from staging.classes where run_id = %(run_id)s
  union all
  select 'enrollments', received, rejected, warned from enrollment_counts) c
on conflict (run_id, entity) do update
set received = excluded.received, rejected = excluded.rejected, warned = excluded.warned;

-- Records that could neither be read nor named came too; of people nobody can tell the kind, and most are students.
update sync.run_counts k set received = k.received + r.n, rejected = k.rejected + r.n
from (
  select case collection when 'orgs' then 'schools' when 'users' then 'students' else collection end as entity,
    count(*) as n
  from raw_rejects
  where rule <> 'blank_line' and collection in ('orgs', 'users', 'classes', 'enrollments')
    and case when collection = 'enrollments' then coalesce(btrim(known ->> 'class_source_id'), '') = ''
        and coalesce(btrim(known ->> 'user_source_id'), '') = ''
             else coalesce(btrim(source_id), '') = '' end
  group by 1) r
where k.run_id = %(run_id)s and k.entity = r.entity;
