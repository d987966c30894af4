-- One class of a district.
select c.*, s.name as school, made.started_at as made_at,
  (select string_agg(b.title, ', ' order by b.title) from portal.class_books k join portal.books b on b.id = k.book_id
     where k.class_id = c.id) as books
from portal.classes c join portal.schools s on s.id = c.school_id left join sync.runs made on made.id = c.created_run_id
where c.id = %(id)s and c.district_id = %(district)s;
