-- The demo: what the portal has of one district now.
select
  (select count(*) from portal.schools where district_id = district.id and is_shared) as schools,
  (select count(*) from portal.users where district_id = district.id and is_shared and role = 'student') as students,
  (select count(*) from portal.classes where district_id = district.id and is_shared) as classes,
  (select count(*) from portal.license_assignments where district_id = district.id) as licenses,
  (select count(*) from portal.student_books held join portal.classes class on class.id = held.class_id
   where class.district_id = district.id) as books
from portal.districts district
where district.key = %(key)s
