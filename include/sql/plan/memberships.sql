-- Who is in which class and school by the feed, in portal ids; and every person that this run looks at.
-- The largest joins of a run, each done once, on numbers. Out: temporary feed_enrollments, feed_memberships, user_view.
create temporary table feed_enrollments on commit drop as
select c.row_id as class_id, u.row_id as user_id, e.role,
  bool_or(e.is_primary and e.is_active) as is_primary, bool_or(e.is_active) as is_active,
  min(e.begins_on) filter (where e.is_active) as begins_on, max(e.ends_on) filter (where e.is_active) as ends_on,
  bool_or(e.keep is not null) as keep_dates
from staging.enrollments e
join staging.resolved c on c.run_id = %(run_id)s and c.entity = 'classes' and c.n = e.class_n
join staging.resolved u on u.run_id = %(run_id)s and u.entity = 'users' and u.n = e.user_n
where e.run_id = %(run_id)s and e.role is not null and not e.is_rejected
group by 1, 2, 3;

-- References that the feed cannot resolve, where the feed is no whole list: the portal knows them.
insert into feed_enrollments
select c.id, u.id, e.role, bool_or(e.is_primary and e.is_active), bool_or(e.is_active),
  min(e.begins_on) filter (where e.is_active), max(e.ends_on) filter (where e.is_active), bool_or(e.keep is not null)
from staging.enrollments e
join lateral (
  select r.row_id as id from staging.resolved r where r.run_id = %(run_id)s and r.entity = 'classes' and r.n = e.class_n
  union all
  select p.id from portal.classes p where e.class_n is null and not %(classes_proved)s
    and p.district_id = %(district_id)s and p.issuer = %(issuer)s and p.source_id = e.class_source_id) c on true
join lateral (
  select r.row_id as id from staging.resolved r where r.run_id = %(run_id)s and r.entity = 'users' and r.n = e.user_n
  union all
  select p.id from portal.users p where e.user_n is null and not %(users_proved)s
    and (p.is_shared or not %(events)s) -- whether someone unshared came back, the full read tells
    and p.district_id = %(district_id)s and p.issuer = %(issuer)s and p.source_id = e.user_source_id) u on true
where e.run_id = %(run_id)s and e.role is not null and not e.is_rejected and (e.class_n is null or e.user_n is null)
  and not (%(classes_proved)s and %(users_proved)s)
  and not exists (select from feed_enrollments f where f.class_id = c.id and f.user_id = u.id and f.role = e.role)
group by 1, 2, 3;
analyze feed_enrollments;

-- A rejected enrolment counts as seen: what the portal has of this class and person stays, and so does their school.
create temporary table seen_enrollments on commit drop as
select distinct coalesce(c.row_id, pc.id) as class_id, coalesce(u.row_id, pu.id) as user_id
from staging.enrollments e
left join staging.resolved c on c.run_id = %(run_id)s and c.entity = 'classes' and c.n = e.class_n
left join staging.resolved u on u.run_id = %(run_id)s and u.entity = 'users' and u.n = e.user_n
left join portal.classes pc on e.class_n is null and pc.district_id = %(district_id)s and pc.issuer = %(issuer)s and pc.source_id = e.class_source_id
left join portal.users pu on e.user_n is null and pu.district_id = %(district_id)s and pu.issuer = %(issuer)s and pu.source_id = e.user_source_id
where e.run_id = %(run_id)s and e.is_rejected;
analyze seen_enrollments;

create temporary table feed_memberships on commit drop as
select m.user_id, m.school_id, bool_or(m.is_primary) as is_primary, v.is_selected
from (
  select r.row_id as user_id, i.id as school_id, o.id is not distinct from s.primary_school_source_id as is_primary
  from staging.users s
  join staging.resolved r on r.run_id = %(run_id)s and r.entity = 'users' and r.n = s.n
  cross join lateral unnest(s.school_source_ids) o (id)
  join school_ids i on i.source_id = o.id
  where s.run_id = %(run_id)s and s.status = 'active' and not s.is_rejected
  union all
  select distinct e.user_id, coalesce(c.school_id, c.old_school_id), false
  from feed_enrollments e join class_view c on c.id = e.class_id
  where e.is_active and (c.is_in_feed or (c.is_known and not c.is_gone and (c.is_protected or not %(classes_proved)s)))
  union all
  select us.user_id, us.school_id, us.is_primary
  from seen_enrollments e join class_view c on c.id = e.class_id
  join portal.user_schools us on us.user_id = e.user_id and us.school_id = c.old_school_id and us.is_active
) m
join school_view v on v.id = m.school_id and (v.is_in_feed or v.is_protected or (v.is_known and not v.is_gone and not %(schools_proved)s))
group by m.user_id, m.school_id, v.is_selected;
-- Of someone who has no row of their own in the feed (a delta, events, a rejected row) only a class tells: it does not know
-- which of their schools is the first.
update feed_memberships m set is_primary = true
from portal.user_schools us
where not m.is_primary and us.user_id = m.user_id and us.school_id = m.school_id and us.is_primary
  and not exists (
    select from staging.resolved r
    join staging.users s on s.run_id = %(run_id)s and s.n = r.n and s.status = 'active' and not s.is_rejected
    where r.run_id = %(run_id)s and r.entity = 'users' and r.row_id = m.user_id);
analyze feed_memberships;

create temporary table user_view on commit drop as
with feed as (
  select r.row_id, s.n, s.source_id, s.status, s.is_rejected, r.how, s.roles
  from staging.users s
  join staging.resolved r on r.run_id = %(run_id)s and r.entity = 'users' and r.n = s.n
  where s.run_id = %(run_id)s
), one_each as (
  select distinct on (row_id) * from feed order by row_id, is_rejected, status
), listed as (
  select user_id, bool_or(is_selected) as is_selected from feed_memberships group by user_id
), unlisted as materialized (
  select r.row_id, s.school_source_ids
  from staging.users s
  join staging.resolved r on r.run_id = %(run_id)s and r.entity = 'users' and r.n = s.n
  where s.run_id = %(run_id)s and s.status = 'active' and not s.is_rejected and s.school_source_ids <> '{}'
    and not exists (select from listed l where l.user_id = r.row_id)
), named as (
  -- who names only schools that are gone is not without a school
  select distinct u.row_id from unlisted u cross join lateral unnest(u.school_source_ids) o (id) join school_ids i on i.source_id = o.id
), stood as (
  select us.user_id, bool_or(v.is_selected) as selected, bool_or(not v.is_selected) as deselected
  from portal.user_schools us join school_view v on v.id = us.school_id and v.is_known
  where us.is_active and v.origin = 'sync'
  group by us.user_id
)
select coalesce(f.row_id, p.id) as id, f.n, f.source_id, f.how, p.id is not null as is_known, coalesce(p.origin, 'sync') as origin,
  coalesce(p.role, (select a.role from unnest(f.roles) with ordinality a (role, place) where a.role = any (%(roles)s::text[]) order by a.place limit 1)) as role,
  coalesce(p.is_shared, false) as is_shared,
  coalesce(f.status = 'active' and not f.is_rejected, false) as is_in_feed,
  coalesce(f.is_rejected, false) as is_protected,
  coalesce(f.status = 'tobedeleted' and not f.is_rejected, false) as is_gone,
  l.user_id is null and x.row_id is null as lists_no_school, coalesce(l.is_selected, false) as is_listed,
  coalesce(st.selected, false) as stood_selected, coalesce(st.deselected, false) as stood_deselected
from one_each f
full join (select id, origin, role, is_shared from portal.users where district_id = %(district_id)s) p on p.id = f.row_id
left join listed l on l.user_id = coalesce(f.row_id, p.id)
left join named x on x.row_id = f.row_id
left join stood st on st.user_id = coalesce(f.row_id, p.id);
alter table user_view add primary key (id);

-- A rejected row counts as seen, also where it names its person only by SIS id, email, username or full name. The rejected
-- rows are few and set aside first: each rung is then one hash join, however many people the portal holds.
create temporary table nameless on commit drop as
select s.sis_id, lower(s.email) as email, s.username, lower(s.family_name) as family_name, lower(s.given_name) as given_name
from staging.users s where s.run_id = %(run_id)s and s.source_id is null;
create temporary table named_people on commit drop as
select p.id from portal.users p
where p.district_id = %(district_id)s and p.source_id in (
  select e.user_source_id from staging.enrollments e where e.run_id = %(run_id)s and e.is_rejected)
union select p.id from portal.users p join nameless s on s.sis_id = p.sis_id where p.district_id = %(district_id)s
union select p.id from portal.users p join nameless s on s.email = lower(p.email) where p.district_id = %(district_id)s
union select p.id from portal.users p join nameless s on s.username = p.username where p.district_id = %(district_id)s
union select p.id from portal.users p
join nameless s on s.family_name = lower(p.family_name) and s.given_name = lower(p.given_name) where p.district_id = %(district_id)s;
update user_view v set is_protected = true
from named_people n where n.id = v.id and v.is_known and not v.is_in_feed and not v.is_protected;
analyze user_view;

-- Someone whom the source itself calls gone is in no class and no school, whatever its enrolments still say.
delete from feed_enrollments f using user_view v where v.id = f.user_id and v.is_gone;
delete from feed_memberships f using user_view v where v.id = f.user_id and v.is_gone;
