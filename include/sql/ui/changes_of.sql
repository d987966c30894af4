-- What a run did to the rows with these ids: the second half of a search by name. Index: changes_key, once per id
-- (`offset 0` keeps the planner from joining the run's 900,000 rows instead).
select c.id, c.table_name, c.key, c.action, c.before, c.after, c.changed, c.phase, u.role,
  case when u.id is not null then concat_ws(', ', u.family_name, u.given_name)
    else coalesce(s.name, k.title) end as label,
  u.email
from unnest(%(ids)s::bigint[]) as wanted (id)
cross join lateral (
  select x.* from sync.changes x
  where x.table_name = %(table)s and (x.key ->> 'id')::bigint = wanted.id and x.key ? 'id' and x.run_id = %(run)s
    and x.action = any(%(actions)s) offset 0) c
left join portal.users u on %(table)s = 'users' and u.id = wanted.id
left join portal.schools s on %(table)s = 'schools' and s.id = wanted.id
left join portal.classes k on %(table)s = 'classes' and k.id = wanted.id
order by c.id limit %(limit)s;
