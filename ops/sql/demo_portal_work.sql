-- The demo: what staff and teachers do in the portal after the first night. Most teachers get a license, every third
-- class a book with all of its students. The second night must not touch any of it.
insert into portal.products (code, title) values ('MATH-TE', 'Mathematics, Teacher Edition') on conflict do nothing;
insert into portal.books (code, title) values ('MATH-SE', 'Mathematics, Student Edition') on conflict do nothing;

insert into portal.license_assignments (district_id, product_id, user_id, assigned_by)
select person.district_id, product.id, person.id, 'staff'
from portal.users person cross join portal.products product
where product.code = 'MATH-TE' and person.role = 'teacher' and person.id % 4 <> 0
  and not exists (select from portal.license_assignments held where held.user_id = person.id);

insert into portal.class_books (class_id, book_id)
select class.id, book.id
from portal.classes class cross join portal.books book
where book.code = 'MATH-SE' and class.id % 3 = 0
on conflict do nothing;

insert into portal.student_books (user_id, class_id, book_id)
select enrolled.user_id, enrolled.class_id, given.book_id
from portal.enrollments enrolled join portal.class_books given using (class_id)
where enrolled.role = 'student' and enrolled.is_active
on conflict do nothing;
