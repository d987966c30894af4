-- Plans the enrollments, from what the join of feed and portal left (plan/join_enrollments.sql).
-- In: class_view, resolved_unusual, protected_enrollments, present_users, present_classes, portal_enrollment_counts,
-- staging.plan, staging.resolved_enrollments, staging.resolved, staging.made_plan. Also joined_adding,
-- joined_differing, joined_repeated: how much came out.
-- Out: enrollment_diff, enrollment_sizes, staging.plan.
select staging.plan_enrollments(%(run_id)s);

-- Those that only the portal could resolve. n: the same one may be there already.
insert into staging.plan (run_id, entity, kind, action, phase, n, class_id, user_id, role, is_primary, is_active,
  begins_on, ends_on, changed)
select %(run_id)s, 'enrollments', 'enrollments', case when e.class_id is null then 'add' else 'differs' end, 'adds', 2,
  u.class_id, u.user_id, u.role, u.is_primary, u.is_active, u.begins_on, u.ends_on,
  case when u.keeps_dates then '{keeps_dates}'::text[] end
from resolved_unusual u
left join portal.enrollments e on e.class_id = u.class_id and e.user_id = u.user_id and e.role = u.role
where u.is_portal_resolved and (e.class_id is not null or u.is_active);

-- A new one that comes more than once is one: the earliest begin and the latest end count. Few districts have such.
create temporary table repeated_adds on commit drop as
with possibly_repeated as (
  select distinct class_id, user_id from staging.plan
  where run_id = %(run_id)s and entity = 'enrollments' and action = 'add' and n is not null
    -- speed: else nothing is read, here and below
    and (%(joined_repeated)s > 0 or exists (select from resolved_unusual where is_portal_resolved))
)
select p.class_id, p.user_id, p.role, bool_or(p.is_primary) as is_primary, min(p.begins_on) as begins_on,
  max(p.ends_on) as ends_on
from staging.plan p join possibly_repeated a on a.class_id = p.class_id and a.user_id = p.user_id
where p.run_id = %(run_id)s and p.entity = 'enrollments' and p.action = 'add'
group by p.class_id, p.user_id, p.role having count(*) > 1;
analyze repeated_adds;
delete from staging.plan p using repeated_adds d
where exists (select from repeated_adds) -- speed: else nothing is read
  and p.run_id = %(run_id)s and p.entity = 'enrollments' and p.action = 'add'
  and p.class_id = d.class_id and p.user_id = d.user_id and p.role = d.role;
insert into staging.plan (run_id, entity, kind, action, phase, class_id, user_id, role, is_primary, is_active,
  begins_on, ends_on)
select %(run_id)s, 'enrollments', 'enrollments', 'add', 'adds', class_id, user_id, role, is_primary, true, begins_on,
  ends_on
from repeated_adds order by class_id, user_id, role;

-- One that the portal has, and that comes more than once, is one too: active beats ended. A line that is the same as
-- the portal's did not come out of the join: it is fetched, for the few that have another line which differs.
create temporary table enrollment_diff on commit drop as
with differing as (
  select p.class_id, p.user_id, p.role, p.is_active, p.is_primary, p.begins_on, p.ends_on,
    p.changed is not null as keeps_dates,
    e.is_active as in_portal, e.is_primary as was_primary, e.begins_on as began_on, e.ends_on as ended_on, e.origin
  from staging.plan p join portal.enrollments e on e.class_id = p.class_id and e.user_id = p.user_id and e.role = p.role
  where p.run_id = %(run_id)s and p.entity = 'enrollments' and p.action = 'differs'
    and (%(joined_differing)s > 0 or exists (select from resolved_unusual where is_portal_resolved))
), repeated as (
  select distinct class_id, user_id, role from differing where in_portal and is_active is not null
), all_of_them as (
  select * from differing
  union all
  select k.class_id, k.user_id, k.role, f.is_active, f.is_primary, f.begins_on, f.ends_on, f.keeps_dates, null, null,
    null, null, null
  from staging.resolved_enrollments f
  join repeated k on k.class_id = f.class_id and k.user_id = f.user_id and k.role = f.role
  where f.run_id = %(run_id)s and exists (select from repeated)
), folded as (
  select class_id, user_id, role, bool_or(is_primary and is_active) as is_primary,
    min(begins_on) filter (where is_active) as begins_on, max(ends_on) filter (where is_active) as ends_on,
    bool_or(keeps_dates) as keeps_dates, bool_or(is_active) as in_feed, bool_or(in_portal) as in_portal,
    min(origin) as origin,
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
delete from staging.plan
where run_id = %(run_id)s and entity = 'enrollments' and action = 'differs'
  and (%(joined_differing)s > 0 or exists (select from resolved_unusual where is_portal_resolved));

-- Those that the feed gives as the portal has them (`matched`): what is active in a class of the feed and did not come
-- out of the join.
create temporary table enrollment_sizes on commit drop as
with absent as (
  select count(*) as active, count(*) filter (where c.is_in_feed and c.is_selected) as in_feed_classes
  from enrollment_diff d join class_view c on c.id = d.class_id where d.in_portal and d.in_feed is not true
)
select held.base, held.in_feed_classes - absent.in_feed_classes as matched,
  held.active > absent.active
    or exists (select from staging.resolved_enrollments where run_id = %(run_id)s and is_active) as any_active
from portal_enrollment_counts held, absent;

-- What a rejected row names is as it was.
delete from enrollment_diff d using protected_enrollments s
where s.class_id = d.class_id and s.user_id = d.user_id and d.in_feed is distinct from true;

-- People and classes that are not in the portal have no enrollments.
-- speed: of those that the feed names they are few, mostly none: looked up before the lines are
create temporary table absent_references on commit drop as
select 'users' as entity, r.row_id as id from staging.resolved r
where r.run_id = %(run_id)s and r.entity = 'users' and not r.is_simple
  and not exists (select from present_users u where u.id = r.row_id)
  and (%(joined_adding)s > 0 or exists (select from resolved_unusual where is_portal_resolved))
union
select 'classes', r.row_id from staging.resolved r
where r.run_id = %(run_id)s and r.entity = 'classes'
  and not exists (select from present_classes c where c.id = r.row_id)
  and (%(joined_adding)s > 0 or exists (select from resolved_unusual where is_portal_resolved))
union
select 'users', t.user_id from resolved_unusual t where not exists (select from present_users u where u.id = t.user_id)
union
select 'classes', t.class_id from resolved_unusual t
where not exists (select from present_classes c where c.id = t.class_id);
analyze absent_references;
delete from staging.plan p
where p.run_id = %(run_id)s and p.entity = 'enrollments' and p.action = 'add'
  and exists (select from absent_references) -- speed: else nothing is read
  and (p.class_id in (select id from absent_references where entity = 'classes')
    or p.user_id in (select id from absent_references where entity = 'users'));

insert into staging.plan (run_id, entity, kind, action, phase, class_id, user_id, role, is_primary, is_active,
  begins_on, ends_on)
select %(run_id)s, 'enrollments', 'enrollments', case when d.in_portal then 'update' else 'restore' end,
  case when d.in_portal then 'updates' else 'adds' end,
  d.class_id, d.user_id, d.role, d.is_primary, true, d.begins_on, d.ends_on
from enrollment_diff d
join present_classes c on c.id = d.class_id
join present_users u on u.id = d.user_id
where d.in_feed and d.origin = 'sync';
