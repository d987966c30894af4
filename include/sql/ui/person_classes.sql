-- The classes of one person, current ones first. Index: enrollments_user_idx.
select c.id, c.title, c.period, c.term_name, c.is_shared, s.name as school, e.role, e.is_active, e.is_primary,
  e.ended_at,
  e.origin, e.begins_on, e.ends_on, e.created_run_id, r.started_at as since,
  (select string_agg(b.title, ', ' order by b.title) from portal.student_books t join portal.books b on b.id = t.book_id
     where t.user_id = e.user_id and t.class_id = e.class_id) as books,
  exists (select from portal.class_books k where k.class_id = c.id) as class_has_books
from portal.enrollments e
join portal.classes c on c.id = e.class_id
join portal.schools s on s.id = c.school_id
left join sync.runs r on r.id = e.created_run_id
where e.user_id = %(id)s and e.district_id = %(district)s
order by e.is_active desc, lower(c.title), c.id limit 200;
