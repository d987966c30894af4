-- Counts, per collection, the records that could not be read and could not be named either: while there are such,
-- nothing that is missing from that collection is known to be gone. A row without an id that shows nobody's full name,
-- email, username or SIS id is one: half a name finds no one (plan/memberships.sql). In: raw_rejects, staging.*,
-- odd_users, enrollment_counts.
select
  (select count(*) from raw_rejects
    where collection = 'orgs' and coalesce(btrim(source_id), '') = '' and rule <> 'blank_line')
  + (select count(*) from staging.schools
    where run_id = %(run_id)s and source_id is null and name is null and sis_id is null) as schools,
  (select count(*) from raw_rejects where rule <> 'blank_line' and (
     (collection = 'users' and coalesce(btrim(source_id), '') = '')
     or (collection = 'roles' and coalesce(btrim(known ->> 'user_source_id'), '') = '')))
  + (select count(*) from odd_users
    where source_id is null
      and coalesce(email, sis_id, username, case when given_name is not null then family_name end) is null) as users,
  (select count(*) from raw_rejects
    where collection = 'classes' and coalesce(btrim(source_id), '') = '' and rule <> 'blank_line')
  + (select count(*) from staging.classes
    where run_id = %(run_id)s and source_id is null and coalesce(sis_id, title) is null) as classes,
  (select count(*) from raw_rejects where collection = 'enrollments' and rule <> 'blank_line'
     and (coalesce(btrim(known ->> 'class_source_id'), '') = ''
       or coalesce(btrim(known ->> 'user_source_id'), '') = ''))
  + (select unreadable from enrollment_counts) as enrollments;
