-- What people are shown of the plan (planning/results.py, PlanSummary): numbers, names of schools, licenses and
-- books that would be freed; never a person. First how much of what, counted once: a first load plans 700,000 rows.
-- In: school_view, class_view, review_pairs, enrollment_sizes, to_free, staging.plan, staging.schools.
-- Out: plan_counts.
drop table if exists plan_counts; -- of a plan that was made again in the same transaction
-- speed: not INSERT, which has no parallel workers (PostgreSQL 18.4)
create temporary table plan_counts on commit drop as
select kind, action, count(*) as n from staging.plan where run_id = %(run_id)s group by kind, action;

-- What people are shown of the plan: numbers, names of schools, licenses and books that would be freed; never a person.
select
  (select coalesce(jsonb_object_agg(kind, actions), '{}') from (
     select kind, jsonb_object_agg(action, n) as actions
     from plan_counts group by kind) k) as counts,
  (select coalesce(jsonb_agg(s.name order by s.name), '[]') from staging.plan p
    join staging.schools s on s.run_id = p.run_id and s.source_id = p.source_id and not s.is_rejected
   where p.run_id = %(run_id)s and p.entity = 'schools' and p.action = 'add') as schools_added,
  (select coalesce(jsonb_agg(s.name order by s.name), '[]') from staging.plan p join portal.schools s on s.id = p.row_id
   where p.run_id = %(run_id)s and p.entity = 'schools' and p.phase = 'removals') as schools_removed,
  (select coalesce(jsonb_agg(s.name order by s.name), '[]') from school_view v
    join staging.schools s on s.run_id = %(run_id)s and s.source_id = v.source_id and not s.is_rejected
   where v.is_in_feed and not v.is_selected and not v.is_known) as schools_offered,
  (select count(*) from to_free where entity = 'licenses') as licenses_to_free,
  (select count(*) from to_free where entity = 'books') as books_to_free,
  (select count(*) from staging.plan p
    where p.run_id = %(run_id)s and p.action = 'delete' and exists (select from plan_counts where action = 'delete')
      and (
     (p.entity = 'users' and exists (select from portal.users u where u.id = p.row_id and u.origin = 'manual'))
     or (p.entity = 'classes' and exists (select from portal.classes c where c.id = p.row_id and c.origin = 'manual'))
     or (p.entity = 'schools'
       and exists (select from portal.schools s where s.id = p.row_id and s.origin = 'manual')))) as manual_rows,
  (select count(*) from school_view where is_in_feed and is_selected) as schools_selected,
  (select count(*) from sync.school_selection where district_id = %(district_id)s and is_selected) as schools_chosen,
  (select count(*) from class_view where is_in_feed) as classes_in_feed,
  (select any_active from enrollment_sizes) as enrollments_in_feed,
  -- in the portal as they came, or being added
  (select matched from enrollment_sizes)
    + (select coalesce(sum(n), 0)::bigint from plan_counts
      where kind = 'enrollments' and action in ('add', 'restore')) as enrollments_seen,
  (select count(*) from review_pairs) as reviews,
  (select md5(count(*) || ':' || coalesce(bit_xor(hashtextextended(k, 0)), 0)) from (
     select entity || ':' || coalesce(row_id::text, '') || ':' || coalesce(class_id::text, '') || ':'
       || coalesce(user_id::text, '') || ':' || coalesce(school_id::text, '') || ':' || coalesce(role, '') as k
     from staging.plan
     where run_id = %(run_id)s and phase = 'removals'
       and exists (select from plan_counts where action in ('unshare', 'end', 'delete'))) d) as digest;
