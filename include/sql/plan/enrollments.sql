-- Which enrolments differ between feed and portal: one full join, of which only what differs comes out.
-- In: staging.enrollments, staging.resolved, class_view. Out: temporary told_enrollments (rows of the feed that differ, or that
-- say of a person that they are in a school which is not the first of their own), enrollment_diff, seen_enrollments,
-- enrollment_sizes. What is the same on both sides never leaves the join.
create temporary table told_enrollments on commit drop as
select coalesce(f.class_id, e.class_id) as class_id, coalesce(f.user_id, e.user_id) as user_id, coalesce(f.role, e.role) as role,
  f.is_active, f.is_primary, f.begins_on, f.ends_on, f.keeps_dates, f.is_elsewhere,
  f.class_id is null or not f.is_active or not e.is_active or (e.origin = 'sync' and (f.is_primary <> e.is_primary
    or (not f.keeps_dates and (f.begins_on is distinct from e.begins_on or f.ends_on is distinct from e.ends_on)))) as differs,
  e.is_active as in_portal, e.is_primary as was_primary, e.begins_on as began_on, e.ends_on as ended_on, e.origin
from (select * from staging.resolved_enrollments where run_id = %(run_id)s) f
full join (
  select x.class_id, x.user_id, x.role, x.is_primary, x.is_active, x.begins_on, x.ends_on, x.origin
  from portal.enrollments x join portal.classes c on c.id = x.class_id where c.district_id = %(district_id)s) e
  on e.class_id = f.class_id and e.user_id = f.user_id and e.role = f.role
where case when f.class_id is null then e.is_active or %(mode)s = 'reset'
  else e.class_id is null or f.is_elsewhere or not f.is_active or not e.is_active
    or (e.origin = 'sync' and (f.is_primary <> e.is_primary
        or (not f.keeps_dates and (f.begins_on is distinct from e.begins_on or f.ends_on is distinct from e.ends_on)))) end;

-- References that the feed cannot resolve, where the feed is no whole list: the portal knows them.
insert into told_enrollments
select f.*, x.is_active, x.is_primary, x.begins_on, x.ends_on, x.origin
from (
  select c.id as class_id, u.id as user_id, e.role, e.is_active, e.is_primary, e.begins_on, e.ends_on, e.keep is not null, true, true
  from staging.enrollments e
  join lateral (
    select r.row_id as id from staging.resolved r where r.run_id = %(run_id)s and r.entity = 'classes' and r.n = e.class_n
    union all
    select p.id from portal.classes p where e.class_n is null and not %(classes_proved)s
      and p.district_id = %(district_id)s and p.issuer = %(issuer)s and p.source_id = e.class_source_id) c on true
  join lateral (
    select r.row_id as id from staging.resolved r where r.run_id = %(run_id)s and r.entity = 'users' and r.n = e.user_n and not r.is_gone
    union all
    select p.id from portal.users p where e.user_n is null and not %(users_proved)s
      and (p.is_shared or not %(events)s) -- whether someone unshared came back, the full read tells
      and p.district_id = %(district_id)s and p.issuer = %(issuer)s and p.source_id = e.user_source_id) u on true
  where e.run_id = %(run_id)s and e.role is not null and not e.is_rejected and (e.class_n is null or e.user_n is null)
    and not (%(classes_proved)s and %(users_proved)s)) f
left join portal.enrollments x on x.class_id = f.class_id and x.user_id = f.user_id and x.role = f.role;
analyze told_enrollments (class_id);

-- An enrolment that comes more than once is one: active beats ended, the earliest begin and the latest end count. Of one that
-- the portal has, a line that is the same as the portal's stayed behind in the join: fetched, for the few that differ.
create temporary table enrollment_diff on commit drop as
with differing as (
  select class_id, user_id, role, is_active, is_primary, begins_on, ends_on, keeps_dates, in_portal, was_primary, began_on, ended_on, origin
  from told_enrollments where in_portal is not null and differs
), repeated as (
  select distinct class_id, user_id, role from differing where in_portal and is_active is not null
), named as materialized (
  select c.n as class_n, u.n as user_n, k.* from repeated k
  join staging.resolved c on c.run_id = %(run_id)s and c.entity = 'classes' and c.row_id = k.class_id
  join staging.resolved u on u.run_id = %(run_id)s and u.entity = 'users' and u.row_id = k.user_id
), all_of_them as (
  select * from differing
  union all
  select k.class_id, k.user_id, k.role, e.is_active, e.is_primary, e.begins_on, e.ends_on, e.keep is not null, null, null, null, null, null
  from staging.enrollments e join named k on k.class_n = e.class_n and k.user_n = e.user_n and k.role = e.role
  where e.run_id = %(run_id)s and not e.is_rejected and exists (select from repeated)
), folded as (
  select class_id, user_id, role, bool_or(is_primary and is_active) as is_primary,
    min(begins_on) filter (where is_active) as begins_on, max(ends_on) filter (where is_active) as ends_on,
    bool_or(keeps_dates) as keeps_dates, bool_or(is_active) as in_feed, bool_or(in_portal) as in_portal, min(origin) as origin,
    bool_or(was_primary) as was_primary, min(began_on) as began_on, min(ended_on) as ended_on
  from all_of_them group by class_id, user_id, role
)
select class_id, user_id, role, is_primary, in_feed, in_portal, origin,
  case when keeps_dates then coalesce(begins_on, began_on) else begins_on end as begins_on,
  case when keeps_dates then coalesce(ends_on, ended_on) else ends_on end as ends_on
from folded
where (in_feed and in_portal) is not true
  or (origin = 'sync' and (is_primary <> was_primary
      or (not keeps_dates and (begins_on is distinct from began_on or ends_on is distinct from ended_on))));
analyze enrollment_diff;

-- A rejected enrolment counts as seen: what the portal has of this class and person stays, and so does their school.
create temporary table seen_enrollments on commit drop as
select distinct coalesce(c.row_id, pc.id) as class_id, coalesce(u.row_id, pu.id) as user_id
from staging.enrollments e
left join staging.resolved c on c.run_id = %(run_id)s and c.entity = 'classes' and c.n = e.class_n
left join staging.resolved u on u.run_id = %(run_id)s and u.entity = 'users' and u.n = e.user_n
left join portal.classes pc on e.class_n is null and pc.district_id = %(district_id)s and pc.issuer = %(issuer)s and pc.source_id = e.class_source_id
left join portal.users pu on e.user_n is null and pu.district_id = %(district_id)s and pu.issuer = %(issuer)s and pu.source_id = e.user_source_id
where e.run_id = %(run_id)s and e.is_rejected
  and exists (select from sync.run_counts n where n.run_id = %(run_id)s and n.entity = 'enrollments' and n.rejected > 0);
analyze seen_enrollments;

-- How many the portal holds, in one pass: of all, of those that a removal is measured against, and of those that the feed
-- gives as they are (`matched`): whatever is active in a class of the feed and did not come out of the join above.
create temporary table enrollment_sizes on commit drop as
with held as (
  select count(*) filter (where e.is_active) as active,
    count(*) filter (where e.is_active and c.is_in_feed and c.is_selected) as in_feed_classes,
    count(*) filter (where e.origin = 'sync' and (%(mode)s = 'reset' or (e.is_active and c.old_selected and c.is_shared))) as base
  from portal.enrollments e join class_view c on c.id = e.class_id and c.is_known
), absent as (
  select count(*) as active, count(*) filter (where c.is_in_feed and c.is_selected) as in_feed_classes
  from enrollment_diff d join class_view c on c.id = d.class_id where d.in_portal and d.in_feed is not true
)
select held.base, held.in_feed_classes - absent.in_feed_classes as matched,
  held.active > absent.active or exists (select from told_enrollments where is_active and in_portal is not true) as any_active
from held, absent;
