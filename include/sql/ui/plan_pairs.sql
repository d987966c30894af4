-- Enrollments and memberships that a run's plan would change, keyset by class or school and person. Action by action,
-- so that each part is one ordered range. Indexes: plan_<run>_pairs, plan_<run>_schools_pairs (staging.index_run).
select coalesce(p.class_id, p.school_id) as id, p.user_id, p.entity, p.action, p.role,
  coalesce(c.title, s.name) as place, nullif(concat_ws(', ', u.family_name, u.given_name), '') as person
from (
  select f.* from unnest(%(actions)s::text[]) as wanted (action) cross join lateral (
    select x.* from staging.plan x
    where x.run_id = %(run)s and x.entity = case %(kind)s when 'memberships' then 'user_schools' else 'enrollments' end
      and x.kind = %(kind)s and x.action = wanted.action and x.phase = any(%(phases)s)
      and (coalesce(x.class_id, x.school_id), x.user_id) > (%(after)s, %(after_user)s)
    order by coalesce(x.class_id, x.school_id), x.user_id limit %(limit)s) f
  order by coalesce(f.class_id, f.school_id), f.user_id limit %(limit)s) p
left join portal.classes c on c.id = p.class_id
left join portal.schools s on s.id = p.school_id and p.entity = 'user_schools'
left join portal.users u on u.id = p.user_id
order by coalesce(p.class_id, p.school_id), p.user_id;
