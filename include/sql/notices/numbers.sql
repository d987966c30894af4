-- What the digest counts without listing it. In: district_id, run_ids. Needs: book_news (book_news.sql).
select
  (select count(*) from sync.worklist w
   where w.district_id = %(district_id)s and w.kind = 'match_review' and w.opened_run_id = any (%(run_ids)s)
     and w.resolved_at is null) as match_reviews,
  (select count(*) from sync.changes c
   join sync.runs r on r.id = c.run_id and r.mode <> 'undo'
   where c.run_id = any (%(run_ids)s) and c.table_name = 'student_books' and c.action = 'delete') as books_freed,
  (select count(distinct student_id) from book_news) as students_without_books,
  (select count(distinct class_id) from book_news) as classes_with_such,
  (select count(distinct student_id) from book_news where email is null) as students_without_teacher,
  (select count(distinct class_id) from book_news where email is null) as classes_without_teacher;
