-- Opens an item for each student whom these runs put into a class with books, and who lacks one of them. In: run_id,
-- district_id, run_ids (this one, and those before it that died before their worklist). Put into: a new enrollment, or
-- one that was ended and is active again.
insert into sync.worklist (district_id, kind, subject_type, subject_id, second_subject_id, opened_run_id)
select distinct e.district_id, 'student_needs_books', 'user', e.user_id, e.class_id, %(run_id)s
from portal.class_books b
join portal.classes c on c.id = b.class_id and c.district_id = %(district_id)s and c.is_shared
join portal.enrollments e on e.class_id = b.class_id and e.role = 'student' and e.is_active
join portal.users u on u.id = e.user_id and u.is_shared
where (e.created_run_id = any (%(run_ids)s) or exists (
    select from sync.changes h
    where h.run_id = any (%(run_ids)s) and h.table_name = 'enrollments' and h.action = 'restore'
      and h.key = jsonb_build_object('class_id', e.class_id, 'user_id', e.user_id, 'role', e.role)))
  and not exists (select from portal.student_books m
    where m.class_id = b.class_id and m.book_id = b.book_id and m.user_id = e.user_id)
  and not exists (select from sync.worklist w -- opened by one of these runs already, and closed since
    where w.district_id = e.district_id and w.kind = 'student_needs_books' and w.subject_id = e.user_id
      and w.second_subject_id = e.class_id and w.opened_run_id = any (%(run_ids)s))
on conflict do nothing;
