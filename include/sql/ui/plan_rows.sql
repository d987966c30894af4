-- Rows of one kind that a run's plan would change in one way (a preview, a hold), keyset by id. Partition: plan_<run>.
select p.row_id as id, p.entity, p.action, p.source_id, p.changed,
  coalesce(concat_ws(', ', u.family_name, u.given_name), s.name, c.title,
           nullif(concat_ws(', ', su.family_name, su.given_name), ''), ss.name, sc.title) as label,
  coalesce(u.email, su.email) as email, coalesce(u.role, p.role) as role,
  coalesce(s.id, c.id, u.id) is not null as is_known
from staging.plan p
left join portal.users u on p.entity = 'users' and u.id = p.row_id
left join portal.schools s on p.entity = 'schools' and s.id = p.row_id
left join portal.classes c on p.entity = 'classes' and c.id = p.row_id
left join staging.users su on p.entity = 'users' and u.id is null and su.run_id = p.run_id and su.source_id = p.source_id
left join staging.schools ss on p.entity = 'schools' and s.id is null and ss.run_id = p.run_id and ss.source_id = p.source_id
left join staging.classes sc on p.entity = 'classes' and c.id is null and sc.run_id = p.run_id and sc.source_id = p.source_id
where p.run_id = %(run)s and p.kind = %(kind)s and p.action = any(%(actions)s) and p.phase = any(%(phases)s)
  and p.row_id > %(after)s
  and (%(pattern)s = '' or lower(concat_ws(' ', u.family_name, u.given_name, u.email, s.name, c.title,
                                           su.family_name, su.given_name, ss.name, sc.title)) like %(pattern)s)
order by p.row_id limit %(limit)s;
