-- Who is in one class: teachers first, then students by name.
select u.id, u.family_name, u.given_name, u.email, u.grade, u.is_shared, e.role, e.is_active, e.is_primary, e.ended_at,
  e.origin,
  (select count(*) from portal.student_books t where t.user_id = u.id and t.class_id = e.class_id) as books
from portal.enrollments e join portal.users u on u.id = e.user_id
where e.class_id = %(id)s and e.district_id = %(district)s
order by e.role desc, e.is_active desc, lower(u.family_name), lower(u.given_name), u.id limit 500;
