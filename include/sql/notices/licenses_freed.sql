-- Licenses that were freed by what these runs deleted, and who held them, from the before-images. In: run_ids, shown.
select count(*) over () as total, coalesce(p.title, 'A product') as product,
  case when l.before ->> 'user_id' is not null
    then concat_ws(' ', u.before ->> 'given_name', u.before ->> 'family_name') else s.before ->> 'name' end as holder,
  case when l.before ->> 'user_id' is not null then u.before ->> 'role' else 'school' end as holder_kind
from sync.changes l
left join portal.products p on p.id = (l.before ->> 'product_id')::bigint
left join sync.changes u on u.run_id = l.run_id and u.table_name = 'users' and u.action = 'delete'
  and u.key ->> 'id' = l.before ->> 'user_id'
left join sync.changes s on s.run_id = l.run_id and s.table_name = 'schools' and s.action = 'delete'
  and s.key ->> 'id' = l.before ->> 'school_id'
where l.run_id = any (%(run_ids)s) and l.table_name = 'license_assignments' and l.action = 'delete'
order by product, holder_kind, lower(s.before ->> 'name'), lower(u.before ->> 'family_name'), l.id
limit %(shown)s;
