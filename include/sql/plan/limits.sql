-- Per kind of row: how many would be removed, changed and added, and of how many (docs/rules.md, R8.1). Base: synced
-- rows that are shared or active now in the selected schools; in a Reset all synced rows of the district.
-- In: school_view, class_view, simple_counts, user_view, enrollment_sizes, plan_counts, staging.plan.
-- Out: a row per kind.
with base as (
  select 'schools' as kind, count(*) as base from school_view v
  where v.is_known and v.origin = 'sync' and (%(mode)s = 'reset' or (v.is_shared and v.is_selected))
  union all
  select 'classes', count(*) from class_view v
  where v.is_known and v.origin = 'sync' and (%(mode)s = 'reset' or (v.is_shared and v.old_selected))
  union all
  select sync.kind_of(v.role), sum(v.n)::bigint
  from (
    select role, count(*) as n from user_view
    where is_known and origin = 'sync'
      and (%(mode)s = 'reset' or (is_shared and (was_in_selected or not was_in_deselected)))
    group by role
    union all
    select role, n from simple_counts where not is_new) v
  group by 1
  union all
  select 'enrollments', base from enrollment_sizes
), deleted as (
  -- an Edit ends nothing that was made by hand; what a Reset deletes of that is counted on its own (plan/summary.sql)
  select p.kind, count(*) filter (where coalesce(s.origin, u.origin, c.origin, e.origin, 'sync') = 'sync') as gone
  from staging.plan p
  left join school_view s on p.entity = 'schools' and s.id = p.row_id
  left join user_view u on p.entity = 'users' and u.id = p.row_id
  left join class_view c on p.entity = 'classes' and c.id = p.row_id
  left join portal.enrollments e on p.entity = 'enrollments' and e.class_id = p.class_id and e.user_id = p.user_id
    and e.role = p.role
  where p.run_id = %(run_id)s and p.action = 'delete'
    and exists (select from plan_counts where action = 'delete') group by p.kind
), planned as (
  select kind, sum(n) filter (where action in ('unshare', 'end') and %(mode)s = 'edit') as gone,
    sum(n) filter (where action = 'update') as updated, sum(n) filter (where action = 'add') as added
  from plan_counts group by kind
)
select k.kind, coalesce(b.base, 0) as base, coalesce(d.gone, p.gone, 0)::bigint as gone,
  coalesce(p.updated, 0)::bigint as updated,
  coalesce(p.added, 0)::bigint as added
from (values ('schools'), ('teachers'), ('students'), ('admins'), ('classes'), ('enrollments')) k (kind)
left join base b on b.kind = k.kind left join planned p on p.kind = k.kind left join deleted d on d.kind = k.kind;
