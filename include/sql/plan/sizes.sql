-- How much came, and how much of it this run looks at, per counted entity.
select
  (select count(*) from school_view where is_in_feed) as schools,
  (select count(*) from user_view where is_in_feed) + (select count(*) from unknown_users) as users,
  (select count(*) from class_view where is_in_feed) as classes,
  (select (feed -> 'dangling' ->> 'active')::bigint from sync.runs where id = %(run_id)s) as enrollments,
  jsonb_build_object(
    'schools', (select count(*) from school_view where is_in_feed and is_selected),
    'teachers', (select count(*) from user_view where is_in_feed and (is_listed or lists_no_school) and role = 'teacher'),
    'students', (select count(*) from user_view where is_in_feed and (is_listed or lists_no_school) and role = 'student'),
    'admins', (select count(*) from user_view where is_in_feed and (is_listed or lists_no_school) and role in ('school_admin', 'district_admin')),
    'classes', (select count(*) from class_view where is_in_feed and is_selected)
  ) as seen;
