-- Who is in which school by the feed, in portal ids; and every person that this run looks at: all but the simple
-- ones, who are unchanged, or new without a question (plan/resolve_users.sql).
-- In: school_view, school_ids, class_view, resolved_unusual, protected_enrollments, staging.users, staging.resolved,
-- staging.unusual_enrollments.
-- Out: simple_users, feed_memberships, user_view.
-- speed: the rows of the feed that are looked at, read once, by parallel workers; all that follows reads these
create temporary table feed_users on commit drop as
select r.row_id, s.n, s.source_id, s.status, s.roles, s.school_source_ids, s.primary_school_source_id, s.is_rejected,
  r.how, r.is_same
from staging.users s
join staging.resolved r on r.run_id = %(run_id)s and r.entity = 'users' and r.n = s.n and not r.is_simple
where s.run_id = %(run_id)s;
analyze feed_users (row_id);
create temporary table simple_users on commit drop as
select row_id as id from staging.resolved where run_id = %(run_id)s and entity = 'users' and is_simple and how <> 'new';
analyze simple_users;

create temporary table feed_memberships on commit drop as
select m.user_id, m.school_id, bool_or(m.is_primary) as is_primary, v.is_selected
from (
  select s.row_id as user_id, i.id as school_id, o.id is not distinct from s.primary_school_source_id as is_primary
  from feed_users s
  cross join lateral unnest(s.school_source_ids) o (id)
  join school_ids i on i.source_id = o.id
  where s.status = 'active' and not s.is_rejected
  union all
  select distinct e.user_id, coalesce(c.school_id, c.old_school_id), false
  from resolved_unusual e join class_view c on c.id = e.class_id
  where e.is_active and e.is_elsewhere
    and (c.is_in_feed or (c.is_known and not c.is_gone and (c.is_protected or not %(classes_proved)s)))
  union all
  select us.user_id, us.school_id, us.is_primary
  from protected_enrollments e join class_view c on c.id = e.class_id
  join portal.user_schools us on us.user_id = e.user_id and us.school_id = c.old_school_id and us.is_active
) m
join school_view v on v.id = m.school_id
  and (v.is_in_feed or v.is_protected or (v.is_known and not v.is_gone and not %(schools_proved)s))
group by m.user_id, m.school_id, v.is_selected;
-- A person without a row of their own in the feed (a delta, events, a rejected row) is in a school by a class only,
-- which does not show their primary school: the portal's stays.
update feed_memberships m set is_primary = true
from portal.user_schools us
where not m.is_primary and us.user_id = m.user_id and us.school_id = m.school_id and us.is_primary
  and not exists (select from feed_users s where s.row_id = m.user_id and s.status = 'active' and not s.is_rejected);
analyze feed_memberships;

-- Of a person with a rejected row and a good one, the good one counts.
create temporary table rejected_users on commit drop as
select distinct on (s.row_id) s.row_id, s.n, s.source_id, s.status, s.roles, true as is_rejected, s.how,
  false as is_same
from feed_users s
where s.is_rejected and not exists (select from feed_users g where g.row_id = s.row_id and not g.is_rejected)
  and not exists (select from simple_users g where g.id = s.row_id)
order by s.row_id, s.status;

-- The portal's people who are looked at: all but the simple ones.
create temporary table portal_people on commit drop as
select p.id, p.origin, p.role, p.is_shared from portal.users p
where p.district_id = %(district_id)s and not exists (select from simple_users u where u.id = p.id);
analyze portal_people;
-- In which schools the portal has them.
-- speed: for people whom a selected school lists it matters only while some school is deselected
create temporary table school_presence (user_id bigint, in_selected boolean, in_deselected boolean) on commit drop;
insert into school_presence
select us.user_id, bool_or(v.is_selected), bool_or(not v.is_selected)
from portal_people p join portal.user_schools us on us.user_id = p.id
join school_view v on v.id = us.school_id and v.is_known
where us.is_active and v.origin = 'sync' and exists (select from school_view where is_known and not is_selected)
group by us.user_id;
insert into school_presence
select us.user_id, true, false
from portal_people p join portal.user_schools us on us.user_id = p.id
join school_view v on v.id = us.school_id and v.is_known
where us.is_active and v.origin = 'sync' and not exists (select from school_view where is_known and not is_selected)
  and not exists (select from feed_memberships m where m.user_id = us.user_id and m.is_selected)
group by us.user_id;
analyze school_presence;

create temporary table user_view on commit drop as
with feed as (
  select s.row_id, s.n, s.source_id, s.status, s.roles, false as is_rejected, s.how, s.is_same
  from feed_users s where not s.is_rejected
  union all
  select * from rejected_users
), listed as (
  select user_id, bool_or(is_selected) as is_selected from feed_memberships group by user_id
)
select coalesce(f.row_id, p.id) as id, f.n, f.source_id, f.how, p.id is not null as is_known,
  coalesce(p.origin, 'sync') as origin,
  case when p.id is not null then p.role when f.roles[1] = any (%(roles)s::text[]) then f.roles[1]
       else (select a.role from unnest(f.roles) with ordinality a (role, place)
         where a.role = any (%(roles)s::text[]) order by a.place limit 1) end as role,
  coalesce(p.is_shared, false) as is_shared,
  coalesce(f.status = 'active' and not f.is_rejected, false) as is_in_feed,
  coalesce(f.is_rejected, false) as is_protected,
  coalesce(f.status = 'tobedeleted' and not f.is_rejected, false) as is_gone,
  l.user_id is null as lists_no_school, coalesce(l.is_selected, false) as is_listed,
  coalesce(st.in_selected, false) as was_in_selected, coalesce(st.in_deselected, false) as was_in_deselected,
  coalesce(f.is_same, false) as is_same, coalesce(not p.role = any (f.roles), false) as drifts
from feed f
full join portal_people p on p.id = f.row_id
left join listed l on l.user_id = coalesce(f.row_id, p.id)
left join school_presence st on st.user_id = coalesce(f.row_id, p.id);
-- A person who names only schools that are gone is not without a school. Schools that were deleted count as gone, too:
-- else the next run would add again the people whom a Reset deleted with them.
update user_view v set lists_no_school = false
from feed_users s cross join lateral unnest(s.school_source_ids) o (id)
where s.status = 'active' and not s.is_rejected and v.n = s.n and v.lists_no_school
  and (exists (select from school_ids i where i.source_id = o.id)
    or exists (select from sync.former_ids i
      where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'schools'
      and i.source_id = o.id));
alter table user_view add primary key (id);

-- A rejected row counts as seen, also where it names its person only by SIS id, email, username or full name. 
-- speed: the rejected rows are few and set aside first: each way to name somebody is then one hash join
create temporary table users_without_id on commit drop as
select s.sis_id, lower(s.email) as email, s.username, lower(s.family_name) as family_name,
  lower(s.given_name) as given_name
from staging.users s where s.run_id = %(run_id)s and s.source_id is null
  and exists (select from sync.run_counts n
    where n.run_id = %(run_id)s and n.entity in ('students', 'teachers', 'admins') and n.rejected > 0);
create temporary table people_of_rejected on commit drop as
select p.id from portal.users p
where p.district_id = %(district_id)s and p.source_id in (
  select e.user_source_id from staging.unusual_enrollments e where e.run_id = %(run_id)s and e.is_rejected
    and exists (select from sync.run_counts n
      where n.run_id = %(run_id)s and n.entity = 'enrollments' and n.rejected > 0))
union select p.id from portal.users p join users_without_id s on s.sis_id = p.sis_id
where p.district_id = %(district_id)s
union select p.id from portal.users p join users_without_id s on s.email = lower(p.email)
where p.district_id = %(district_id)s
union select p.id from portal.users p join users_without_id s on s.username = p.username
where p.district_id = %(district_id)s
union select p.id from portal.users p
join users_without_id s on s.family_name = lower(p.family_name) and s.given_name = lower(p.given_name)
where p.district_id = %(district_id)s;
update user_view v set is_protected = true
from people_of_rejected n where n.id = v.id and v.is_known and not v.is_in_feed and not v.is_protected;
analyze user_view;

-- A person whom the source itself calls gone is in no school, whatever their row still says.
delete from feed_memberships f using user_view v where v.id = f.user_id and v.is_gone;
