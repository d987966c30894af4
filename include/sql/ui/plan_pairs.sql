-- Enrolments and memberships that a run's plan would change, keyset by class or school and person.
select coalesce(p.class_id, p.school_id) as id, p.user_id, p.entity, p.action, p.role,
  coalesce(c.title, s.name) as place, nullif(concat_ws(', ', u.family_name, u.given_name), '') as person
from staging.plan p
left join portal.classes c on c.id = p.class_id
left join portal.schools s on s.id = p.school_id and p.entity = 'user_schools'
left join portal.users u on u.id = p.user_id
where p.run_id = %(run)s and p.kind = %(kind)s and p.action = any(%(actions)s) and p.phase = any(%(phases)s)
  and (coalesce(p.class_id, p.school_id), p.user_id) > (%(after)s, %(after_user)s)
order by coalesce(p.class_id, p.school_id), p.user_id limit %(limit)s;
