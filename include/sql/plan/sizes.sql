-- How much came, and how much of it this run looks at, per counted entity.
select
  (select count(*) from school_view where is_in_feed) as schools,
  (select count(*) from user_view where is_in_feed) + (select coalesce(sum(n), 0) from plain_counts)::bigint + (select count(*) from unknown_users) as users,
  (select count(*) from class_view where is_in_feed) as classes,
  (select (feed -> 'dangling' ->> 'active')::bigint from sync.runs where id = %(run_id)s) as enrollments,
  jsonb_build_object(
    'schools', (select count(*) from school_view where is_in_feed and is_selected),
    'teachers', (select count(*) from user_view where is_in_feed and (is_listed or lists_no_school) and role = 'teacher')
      + (select coalesce(sum(n), 0) from plain_counts where role = 'teacher')::bigint,
    'students', (select count(*) from user_view where is_in_feed and (is_listed or lists_no_school) and role = 'student')
      + (select coalesce(sum(n), 0) from plain_counts where role = 'student')::bigint,
    'admins', (select count(*) from user_view where is_in_feed and (is_listed or lists_no_school) and role in ('school_admin', 'district_admin'))
      + (select coalesce(sum(n), 0) from plain_counts where role in ('school_admin', 'district_admin'))::bigint,
    'classes', (select count(*) from class_view where is_in_feed and is_selected)
  ) as seen;
