-- Gives the selected students the books of their class and closes their items. Runs as roster_desk.
with claimed as (
  update sync.worklist w set resolved_at = now(), resolved_by = %(who)s, resolution = 'has_books'
  where w.district_id = %(district)s and w.kind = 'student_needs_books' and w.id = any(%(items)s::bigint[])
    and w.resolved_at is null
    and exists (select from portal.enrollments e where e.class_id = w.second_subject_id and e.user_id = w.subject_id
                  and e.role = 'student' and e.is_active and e.district_id = %(district)s)
  returning w.subject_id, w.second_subject_id
), given as (
  insert into portal.student_books (user_id, class_id, book_id)
  select c.subject_id, c.second_subject_id, b.book_id from claimed c
  join portal.class_books b on b.class_id = c.second_subject_id
  on conflict do nothing
)
select count(*) as items from claimed;
