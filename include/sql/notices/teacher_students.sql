-- A teacher's own new students who need the books of their class. In: email. Needs: book_news (book_news.sql).
select c.id as class_id, coalesce(c.title, 'Class without a title') as title, c.period, s.name as school,
  u.given_name, u.family_name,
  (select string_agg(b.title, ', ' order by b.title) from portal.class_books cb join portal.books b on b.id = cb.book_id
   where cb.class_id = c.id) as books
from (select distinct class_id, student_id from book_news where email = %(email)s) n
join portal.classes c on c.id = n.class_id
join portal.schools s on s.id = c.school_id
join portal.users u on u.id = n.student_id
order by lower(c.title), c.id, lower(u.family_name), lower(u.given_name), u.id;
