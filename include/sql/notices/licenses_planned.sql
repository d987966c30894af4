-- Licenses that a previewed or held Reset would free, and who holds them. In: run_ids, shown. Empty once the plan is
-- purged.
select count(*) over () as total, p.title as product,
  case when l.user_id is not null then concat_ws(' ', u.given_name, u.family_name) else s.name end as holder,
  case when l.user_id is not null then u.role else 'school' end as holder_kind
from staging.plan d
join portal.license_assignments l
  on (d.entity = 'users' and l.user_id = d.row_id) or (d.entity = 'schools' and l.school_id = d.row_id)
join portal.products p on p.id = l.product_id
left join portal.users u on u.id = l.user_id
left join portal.schools s on s.id = l.school_id
where d.run_id = any (%(run_ids)s) and d.action = 'delete' and d.entity in ('users', 'schools')
order by product, holder_kind, lower(s.name), lower(u.family_name), l.id
limit %(shown)s;
