-- Per kind of row: how many would go, how many would change, and of how many (product.md, Limits).
-- Base: synced rows shared or active now in the selected schools; a Reset counts all of the district.
with base as (
  select 'schools' as kind, count(*) as base from school_view v
  where v.is_known and v.origin = 'sync' and (%(mode)s = 'reset' or (v.is_shared and v.is_selected))
  union all
  select 'classes', count(*) from class_view v
  where v.is_known and v.origin = 'sync' and (%(mode)s = 'reset' or (v.is_shared and v.old_selected))
  union all
  select case v.role when 'teacher' then 'teachers' when 'student' then 'students' else 'admins' end, count(*) from user_view v
  where v.is_known and v.origin = 'sync' and (%(mode)s = 'reset' or (v.is_shared and (v.stood_selected or not v.stood_deselected)))
  group by 1
  union all
  select 'enrollments', base from enrollment_sizes
), planned as (
  select p.kind,
    count(*) filter (where p.phase = 'removals' and (%(mode)s = 'edit' or (p.action = 'delete' and v.origin is distinct from 'manual'))) as gone,
    count(*) filter (where p.action = 'update') as updated, count(*) filter (where p.action = 'add') as added
  from staging.plan p left join user_view v on p.entity = 'users' and v.id = p.row_id
  where p.run_id = %(run_id)s group by p.kind
)
select k.kind, coalesce(b.base, 0) as base, coalesce(p.gone, 0) as gone, coalesce(p.updated, 0) as updated, coalesce(p.added, 0) as added
from (values ('schools'), ('teachers'), ('students'), ('admins'), ('classes'), ('enrollments')) k (kind)
left join base b on b.kind = k.kind left join planned p on p.kind = k.kind;
