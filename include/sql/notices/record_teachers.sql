-- Records one email a run to each teacher of a class with books whose class got students that need them. In: run_id,
-- district_id.
-- Needs: book_news (book_news.sql).
insert into sync.notices (run_id, district_id, recipient, kind, subject_key)
select distinct %(run_id)s::bigint, %(district_id)s::bigint, n.email, 'teacher_books', 'run:' || %(run_id)s
from book_news n where n.email is not null
on conflict (district_id, recipient, kind, subject_key) do nothing;
