-- Licences that a run's plan would free, and who holds them, keyset by id. Partition: plan_<run>.
select l.id, p.title as product, u.id as user_id, s.id as school_id, u.role, u.email, l.expires_on,
  coalesce(nullif(concat_ws(', ', u.family_name, u.given_name), ''), s.name) as label
from portal.license_assignments l
join portal.products p on p.id = l.product_id
left join portal.users u on u.id = l.user_id
left join portal.schools s on s.id = l.school_id
where l.district_id = %(district)s and l.id > %(after)s
  and (l.user_id in (select d.row_id from staging.plan d where d.run_id = %(run)s and d.action = 'delete' and d.entity = 'users')
    or l.school_id in (select d.row_id from staging.plan d where d.run_id = %(run)s and d.action = 'delete' and d.entity = 'schools'))
order by l.id limit %(limit)s;
