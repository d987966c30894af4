-- Licenses that a run's plan would free, and who holds them, keyset by id. Index: plan_<run>_users_page (kind, action,
-- row_id).
select l.id, p.title as product, u.id as user_id, s.id as school_id, u.role, u.email, l.expires_on,
  coalesce(nullif(concat_ws(', ', u.family_name, u.given_name), ''), s.name) as label
from (
  select a.* from portal.license_assignments a
  where a.district_id = %(district)s and a.id > %(after)s and exists (
    select from staging.plan d where d.run_id = %(run)s and d.entity = 'users'
      and d.kind in ('teachers', 'students', 'admins') and d.action = 'delete' and d.row_id = a.user_id)
  union all
  select a.* from portal.license_assignments a
  where a.district_id = %(district)s and a.id > %(after)s and exists (
    select from staging.plan d where d.run_id = %(run)s and d.entity = 'schools'
      and d.kind = 'schools' and d.action = 'delete' and d.row_id = a.school_id)) l
join portal.products p on p.id = l.product_id
left join portal.users u on u.id = l.user_id
left join portal.schools s on s.id = l.school_id
order by l.id limit %(limit)s;
