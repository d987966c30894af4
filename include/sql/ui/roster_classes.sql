-- Classes in the order of their titles, keyset by the id of the last one shown. Index: classes_page_idx.
-- from_title, to_title: the range of titles that begin with the searched text; a school of 0 means every school.
select c.id, c.title, c.subject, c.grade, c.period, c.term_name, c.is_shared, c.origin, s.id as school_id,
  s.name as school,
  e.teachers, e.students
from (
  select p.* from portal.classes p
  where p.district_id = %(district)s and (%(school)s = 0 or p.school_id = %(school)s)
    and coalesce(lower(p.title), '') collate "C" >= %(from_title)s
    and coalesce(lower(p.title), '') collate "C" < %(to_title)s
    and (%(after)s = 0 or (coalesce(lower(p.title), '') collate "C", p.id) > (
      select coalesce(lower(a.title), '') collate "C", a.id from portal.classes a
      where a.id = %(after)s and a.district_id = %(district)s))
  order by coalesce(lower(p.title), '') collate "C", p.id limit %(limit)s) c
join portal.schools s on s.id = c.school_id
left join lateral (
  select count(*) filter (where n.role = 'teacher') as teachers, count(*) filter (where n.role = 'student') as students
  from portal.enrollments n where n.class_id = c.id and n.is_active) e on true
order by coalesce(lower(c.title), '') collate "C", c.id;
