-- Removes rows that the target itself put in outside its plan (a merge of two rows), before what it deleted comes
-- back.
-- In: sync.changes; target.
-- Out: portal.student_books, portal.class_books, portal.enrollments, portal.user_schools.
delete from portal.student_books b using sync.changes c
where c.run_id = %(target)s and c.action = 'insert' and c.table_name = 'student_books'
  and b.user_id = (c.key ->> 'user_id')::bigint and b.class_id = (c.key ->> 'class_id')::bigint
    and b.book_id = (c.key ->> 'book_id')::bigint;
delete from portal.class_books b using sync.changes c
where c.run_id = %(target)s and c.action = 'insert' and c.table_name = 'class_books'
  and b.class_id = (c.key ->> 'class_id')::bigint and b.book_id = (c.key ->> 'book_id')::bigint;
delete from portal.enrollments e using sync.changes c
where c.run_id = %(target)s and c.action = 'insert' and c.table_name = 'enrollments'
  and e.class_id = (c.key ->> 'class_id')::bigint and e.user_id = (c.key ->> 'user_id')::bigint
    and e.role = c.key ->> 'role';
delete from portal.user_schools us using sync.changes c
where c.run_id = %(target)s and c.action = 'insert' and c.table_name = 'user_schools'
  and us.user_id = (c.key ->> 'user_id')::bigint and us.school_id = (c.key ->> 'school_id')::bigint;
