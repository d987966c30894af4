-- The unusual enrollments in portal ids: what memberships and the comparison need to know of them. Size: what is
-- unusual.
-- In: staging.unusual_enrollments, staging.resolved.
-- Out: resolved_unusual, protected_enrollments, simple_counts, staging.resolved.
create temporary table resolved_unusual on commit drop as
select c.row_id as class_id, u.row_id as user_id, e.role, e.is_active, e.is_primary, e.begins_on, e.ends_on,
  e.keep is not null as keeps_dates,
  e.is_elsewhere, false as is_portal_resolved
from staging.unusual_enrollments e
join staging.resolved c on c.run_id = %(run_id)s and c.entity = 'classes' and c.n = e.class_n
join staging.resolved u on u.run_id = %(run_id)s and u.entity = 'users' and u.n = e.user_n and not u.is_gone
where e.run_id = %(run_id)s and e.role is not null and not e.is_rejected;
-- References that the feed cannot resolve, where the feed is not a whole list: the portal resolves them.
insert into resolved_unusual
select c.id, u.id, e.role, e.is_active, e.is_primary, e.begins_on, e.ends_on, e.keep is not null, true, true
  from staging.unusual_enrollments e
  join lateral (
    select r.row_id as id from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'classes' and r.n = e.class_n
    union all
    select p.id from portal.classes p where e.class_n is null and not %(classes_proved)s
      and p.district_id = %(district_id)s and p.issuer = %(issuer)s and p.source_id = e.class_source_id) c on true
  join lateral (
    select r.row_id as id from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'users' and r.n = e.user_n and not r.is_gone
    union all
    select p.id from portal.users p where e.user_n is null and not %(users_proved)s
      and (p.is_shared or not %(events)s) -- whether someone unshared came back, the full read tells
      and p.district_id = %(district_id)s and p.issuer = %(issuer)s and p.source_id = e.user_source_id) u on true
  where e.run_id = %(run_id)s and e.role is not null and not e.is_rejected and (e.class_n is null or e.user_n is null)
    -- speed: within a subquery; folded to `false`, it would lock every run's part (apply/selection.sql)
    and (select not (%(classes_proved)s and %(users_proved)s));
analyze resolved_unusual;

-- A rejected enrollment counts as seen: what the portal has of this class and person stays, and so does their school.
create temporary table protected_enrollments on commit drop as
select distinct coalesce(c.row_id, pc.id) as class_id, coalesce(u.row_id, pu.id) as user_id
from staging.unusual_enrollments e
left join staging.resolved c on c.run_id = %(run_id)s and c.entity = 'classes' and c.n = e.class_n
left join staging.resolved u on u.run_id = %(run_id)s and u.entity = 'users' and u.n = e.user_n
left join portal.classes pc on e.class_n is null and pc.district_id = %(district_id)s and pc.issuer = %(issuer)s
  and pc.source_id = e.class_source_id
left join portal.users pu on e.user_n is null and pu.district_id = %(district_id)s and pu.issuer = %(issuer)s
  and pu.source_id = e.user_source_id
where e.run_id = %(run_id)s and e.is_rejected
  and exists (select from sync.run_counts n
    where n.run_id = %(run_id)s and n.entity = 'enrollments' and n.rejected > 0);
analyze protected_enrollments;

-- People whom a class at another school, or a rejected enrollment, puts into a school are looked at again.
update staging.resolved r set is_simple = false
from (select user_id from resolved_unusual where is_active and is_elsewhere union select user_id
  from protected_enrollments) u
where r.run_id = %(run_id)s and r.entity = 'users' and r.is_simple and r.row_id = u.user_id;
create temporary table simple_counts on commit drop as
select role, how = 'new' as is_new, count(*) as n from staging.resolved
where run_id = %(run_id)s and entity = 'users' and is_simple group by role, how = 'new';
