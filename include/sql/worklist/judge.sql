-- What became of the worklist's items: temporary table judged (id, resolution; null = still to be done).
-- In: district_id (null: all districts). Looks at the open items, and at the newest closed one of each subject that was
-- closed because its subject was gone: an undo, or a subject that is shared again, opens those again.
create temporary table judged on commit drop as
with wanted_schools as (
  select s.id, s.is_shared,
    s.origin = 'manual' or coalesce(t.school_mode, 'all') = 'all' or coalesce(l.is_selected, false) as is_selected
  from portal.schools s
  left join sync.settings t on t.district_id = s.district_id
  left join sync.school_selection l on l.district_id = s.district_id and l.source_id = s.source_id
  where s.district_id = %(district_id)s or %(district_id)s::bigint is null
),
newest as (
  select distinct on (w.district_id, w.kind, w.subject_id, coalesce(w.second_subject_id, 0)) w.*
  from sync.worklist w
  where w.district_id = %(district_id)s or %(district_id)s::bigint is null
  order by w.district_id, w.kind, w.subject_id, coalesce(w.second_subject_id, 0), w.resolved_at is null desc, w.id desc
),
items as (
  select * from newest
  where resolved_at is null or resolution in ('deleted', 'unshared', 'deselected', 'ended')
),
people as (
  -- deselected: people who are in schools, and in none that is selected
  select u.id, u.role, u.is_shared, coalesce(bool_and(not s.is_selected), false) as is_deselected
  from portal.users u
  left join portal.user_schools us on us.user_id = u.id and us.is_active
  left join wanted_schools s on s.id = us.school_id
  where u.id in (select subject_id from items where subject_type = 'user')
  group by u.id
),
classes as (
  select c.id, c.is_shared, s.is_selected
  from portal.classes c join wanted_schools s on s.id = c.school_id
  where c.id in (select second_subject_id from items where kind = 'student_needs_books')
)
select i.id,
  case
    when i.subject_type = 'school' then case
      when s.id is null then 'deleted'
      when not s.is_shared then 'unshared'
      when not s.is_selected then 'deselected' end
    when p.id is null then 'deleted'
    when not p.is_shared then 'unshared'
    when p.is_deselected then 'deselected'
    when i.kind = 'student_needs_books' and c.id is null then 'deleted'
    when i.kind = 'student_needs_books' and not c.is_shared then 'unshared'
    when i.kind = 'student_needs_books' and not c.is_selected then 'deselected'
    when i.kind = 'student_needs_books' and not exists (
      select from portal.enrollments e
      where e.class_id = i.second_subject_id and e.user_id = i.subject_id and e.role = 'student' and e.is_active)
    then 'ended'
    when i.kind = 'match_review' and i.second_subject_id is not null
      and not exists (select from portal.users o where o.id = i.second_subject_id) then 'deleted'
  end as gone,
  case i.kind
    when 'teacher_needs_license' then case
      when exists (select from portal.license_assignments a
                   where a.user_id = i.subject_id and (a.expires_on is null or a.expires_on >= current_date))
    then 'licensed'
      when p.role <> 'teacher' then 'no_teacher' end
    when 'school_needs_admin' then case
      when exists (select from portal.user_schools us join portal.users u on u.id = us.user_id
                   where us.school_id = i.subject_id and us.is_active and u.role = 'school_admin' and u.is_enabled)
    then 'has_admin' end
    when 'student_needs_books' then case
      when not exists (select from portal.class_books b where b.class_id = i.second_subject_id and not exists (
        select from portal.student_books m
        where m.class_id = b.class_id and m.book_id = b.book_id and m.user_id = i.subject_id)) then 'has_books' end
    when 'role_drift' then case when i.detail -> 'source_roles' ? p.role then 'no_drift' end
  end as done,
  i.resolved_at is null as is_open
from items i
left join wanted_schools s on i.subject_type = 'school' and s.id = i.subject_id
left join people p on i.subject_type = 'user' and p.id = i.subject_id
left join classes c on i.kind = 'student_needs_books' and c.id = i.second_subject_id;
