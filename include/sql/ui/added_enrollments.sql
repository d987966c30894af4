-- Enrollments that a run added, keyset by class, person and role.
select e.class_id, e.user_id, e.role, c.title as class_title, concat_ws(', ', u.family_name, u.given_name) as person,
  e.is_active
from portal.enrollments e
join portal.classes c on c.id = e.class_id
join portal.users u on u.id = e.user_id
where e.district_id = %(district)s and e.created_run_id = %(run)s
  and (e.class_id, e.user_id) > (%(after)s, %(after_user)s)
order by e.class_id, e.user_id, e.role limit %(limit)s;
