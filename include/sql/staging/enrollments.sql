-- Enrolments, naming class and person by their place in the feed. In: raw_enrollments, raw_rejects, staging.users, .classes.
-- Duplicates are folded later, by portal id.
select staging.type_enrollments(%(run_id)s);

-- An id with blanks around it is the same id: few sources do that, so only what found nothing is looked up again.
create temporary table padded on commit drop as
select e.ctid as place, btrim(e.class_source_id) as class_source_id, btrim(e.user_source_id) as user_source_id from staging.enrollments e
where e.run_id = %(run_id)s and (e.class_source_id <> btrim(e.class_source_id) or e.user_source_id <> btrim(e.user_source_id));
analyze padded;
update staging.enrollments e set class_n = coalesce(e.class_n, c.n), user_n = coalesce(e.user_n, u.n),
  class_source_id = case when c.n is null then p.class_source_id end, user_source_id = case when u.n is null then p.user_source_id end
from padded p
left join staging.classes c on c.run_id = %(run_id)s and c.source_id = p.class_source_id
left join staging.users u on u.run_id = %(run_id)s and u.source_id = p.user_source_id
where e.run_id = %(run_id)s and e.ctid = p.place;

insert into staging.enrollments (run_id, class_n, user_n, class_source_id, user_source_id, role, is_primary, is_active, is_rejected)
select %(run_id)s, c.n, u.n, r.class_source_id, r.user_source_id, null, false, true, true
from (select btrim(known ->> 'class_source_id') as class_source_id, btrim(known ->> 'user_source_id') as user_source_id
      from raw_rejects where collection = 'enrollments') r
left join staging.classes c on c.run_id = %(run_id)s and c.source_id = r.class_source_id
left join staging.users u on u.run_id = %(run_id)s and u.source_id = r.user_source_id
where r.class_source_id <> '' or r.user_source_id <> '';

-- What is asked of them again and again, counted once. A class or a person that a delta leaves out may be the portal's.
create temporary table enrollment_counts on commit drop as
select count(*) as received, count(*) filter (where is_rejected) as rejected,
  count(*) filter (where not is_rejected and (((no_class or no_user) and not %(is_partial)s) or keep is not null)) as warned,
  count(*) filter (where not is_rejected and no_class) as dangling_classes,
  count(*) filter (where not is_rejected and no_user) as dangling_users,
  count(*) filter (where not is_rejected and is_active) as active,
  count(*) filter (where not is_rejected) as total,
  count(*) filter (where is_rejected and ((class_n is null and class_source_id is null) or (user_n is null and user_source_id is null))) as unreadable,
  count(*) filter (where keep is not null) as kept,
  count(*) filter (where role is null) as other_roles
from staging.enrollments e cross join lateral (select
  e.class_n is null and (%(classes_complete)s or not exists (select from sync.source_ids i where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'classes' and i.source_id = e.class_source_id)) as no_class,
  e.user_n is null and (%(users_complete)s or not exists (select from sync.source_ids i where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'users' and i.source_id = e.user_source_id)) as no_user) d
where e.run_id = %(run_id)s;
