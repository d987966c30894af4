-- How much came, and how much of it this run looks at, per counted entity (planning/results.py, FeedSizes).
-- In: school_view, unknown_users, class_view, simple_counts, user_view.
-- Out: -.
with people as (
  select count(*) filter (where is_in_feed) as in_feed,
    count(*) filter (where is_in_feed and (is_listed or lists_no_school) and role = 'teacher') as teachers,
    count(*) filter (where is_in_feed and (is_listed or lists_no_school) and role = 'student') as students,
    count(*) filter (where is_in_feed and (is_listed or lists_no_school)
      and role in ('school_admin', 'district_admin')) as admins
  from user_view
), simple as (
  select coalesce(sum(n), 0)::bigint as in_feed,
    coalesce(sum(n) filter (where role = 'teacher'), 0)::bigint as teachers,
    coalesce(sum(n) filter (where role = 'student'), 0)::bigint as students,
    coalesce(sum(n) filter (where role in ('school_admin', 'district_admin')), 0)::bigint as admins
  from simple_counts
)
select
  (select count(*) from school_view where is_in_feed) as schools,
  people.in_feed + simple.in_feed + (select count(*) from unknown_users) as users,
  (select count(*) from class_view where is_in_feed) as classes,
  (select (feed -> 'dangling' ->> 'active')::bigint from sync.runs where id = %(run_id)s) as enrollments,
  jsonb_build_object(
    'schools', (select count(*) from school_view where is_in_feed and is_selected),
    'teachers', people.teachers + simple.teachers,
    'students', people.students + simple.students,
    'admins', people.admins + simple.admins,
    'classes', (select count(*) from class_view where is_in_feed and is_selected)
  ) as seen
from people cross join simple;
