-- Students who need the books of their class since these runs, with each teacher of the class who can be written to:
-- active in it, shared, enabled, no dummy, with a well-formed email. A class without such a teacher has one row a
-- student, without an email. What an undo only opened again was reported before and is no news. In: district_id,
-- run_ids.
-- Out: temporary table book_news.
drop table if exists book_news;
create temporary table book_news on commit drop as
select w.opened_run_id as run_id, w.subject_id as student_id, w.second_subject_id as class_id, t.email
from sync.worklist w
left join lateral (
  select distinct lower(btrim(u.email)) as email
  from portal.enrollments e join portal.users u on u.id = e.user_id
  where e.class_id = w.second_subject_id and e.role = 'teacher' and e.is_active and u.is_shared and u.is_enabled
    and not u.is_dummy and btrim(u.email) ~ '^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:].]+$') t on true
where w.district_id = %(district_id)s and w.kind = 'student_needs_books' and w.opened_run_id = any (%(run_ids)s)
  and w.resolved_at is null
  and not exists (
    select from sync.runs r join sync.worklist o on o.district_id = r.district_id
    where r.id = w.opened_run_id and r.mode = 'undo' and o.kind = w.kind and o.subject_id = w.subject_id
      and o.second_subject_id = w.second_subject_id and o.id < w.id and o.notified_at is not null);
