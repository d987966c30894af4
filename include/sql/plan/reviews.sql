-- Plans match reviews, for matches that are not proved and that nobody guesses: a new person, and somebody who is gone
-- with the same full name in the same school, or with the same given name and email (the family name is another), or
-- with a number or an email that several people could own.
-- In: unknown_users, unclaimed_users, user_pairs, new_memberships, feed_memberships, user_view, staging.plan,
-- staging.users, staging.resolved.
-- Out: review_pairs, staging.plan. Also findings about roles.
-- speed: the plan is read back below; the planner would take it for one row, and joins of 100,000 become loops
select staging.analyze_run(%(run_id)s, array['plan/users']);
create temporary table review_pairs on commit drop as
select distinct p.row_id as new_id, c.row_id as candidate_id
from staging.plan p join user_pairs c on c.source_id = p.source_id
where p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'add';

analyze unclaimed_users;
create temporary view listed_users as
select user_id, school_id from feed_memberships union all select user_id, school_id from new_memberships;
insert into review_pairs
select distinct p.row_id, c.id
from staging.plan p
join staging.users s on s.run_id = %(run_id)s and s.n = p.n
join unclaimed_users c on c.family_name = lower(s.family_name) and c.given_name = lower(s.given_name)
join listed_users m on m.user_id = p.row_id
join portal.user_schools us on us.user_id = c.id and us.school_id = m.school_id
where p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'add'
  and not exists (select from review_pairs r where r.new_id = p.row_id and r.candidate_id = c.id);

insert into review_pairs
select distinct p.row_id, c.id
from staging.plan p
join staging.users s on s.run_id = %(run_id)s and s.n = p.n
join unclaimed_users c on c.email = lower(s.email) and c.given_name = lower(s.given_name) and c.email <> ''
where p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'add'
  and not exists (select from review_pairs r where r.new_id = p.row_id and r.candidate_id = c.id);

-- People whom the source itself calls gone are candidates, too: often it is the same person, under a new id.
create temporary table gone_users on commit drop as
select c.id, c.sis_id, lower(c.family_name) as family_name, lower(c.given_name) as given_name,
  lower(btrim(c.email)) as email
from user_view v join portal.users c on c.id = v.id where v.is_gone and v.is_known;
analyze gone_users;
with pairs as (
  select p.row_id as new_id, c.id as candidate_id
  from gone_users c
  join staging.users s on s.run_id = %(run_id)s and lower(s.family_name) = c.family_name
    and lower(s.given_name) = c.given_name
  join staging.plan p on p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'add' and p.n = s.n
  join listed_users m on m.user_id = p.row_id
  join portal.user_schools us on us.user_id = c.id and us.school_id = m.school_id
  union
  select p.row_id, c.id
  from gone_users c
  join staging.users s on s.run_id = %(run_id)s and lower(s.email) = c.email and lower(s.given_name) = c.given_name
  join staging.plan p on p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'add' and p.n = s.n
  where c.email <> ''
  union
  select p.row_id, c.id
  from gone_users c
  join staging.users s on s.run_id = %(run_id)s and s.sis_id = c.sis_id
    and (lower(s.family_name) = c.family_name or lower(s.given_name) = c.given_name or lower(s.email) = c.email)
  join staging.plan p on p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'add' and p.n = s.n)
insert into review_pairs
select n.new_id, n.candidate_id from pairs n
where not exists (select from review_pairs r where r.new_id = n.new_id and r.candidate_id = n.candidate_id);

-- A person whom the source has split in two: the known id stays without the role that it had, and a new id has that
-- role under the same SIS id or email. Which of both is the person, people decide. speed: those whose role differs are
-- few
create temporary table drifted_users on commit drop as
select c.id, c.role, c.sis_id, lower(c.family_name) as family_name, lower(btrim(c.email)) as email
from user_view v join portal.users c on c.id = v.id
where v.drifts and v.is_in_feed and v.is_known and v.origin = 'sync';
analyze drifted_users;
with pairs as (
  select p.row_id as new_id, c.id as candidate_id
  from drifted_users c
  join staging.users s on s.run_id = %(run_id)s and s.sis_id = c.sis_id and lower(s.family_name) = c.family_name
  join staging.plan p on p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'add' and p.n = s.n
    and p.role = c.role
  union
  select p.row_id, c.id
  from drifted_users c
  join staging.users s on s.run_id = %(run_id)s and lower(s.email) = c.email and lower(s.family_name) = c.family_name
  join staging.plan p on p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'add' and p.n = s.n
    and p.role = c.role)
insert into review_pairs
select n.new_id, n.candidate_id from pairs n
where not exists (select from review_pairs r where r.new_id = n.new_id and r.candidate_id = n.candidate_id);

delete from sync.findings where run_id = %(run_id)s and rule in ('role_maps_to_nothing', 'role_not_created');
insert into sync.findings (run_id, entity, source_id, severity, rule, field, message)
select %(run_id)s, 'users', u.source_id, 'info',
  case when u.roles = '{}' then 'role_maps_to_nothing' else 'role_not_created' end, 'role',
  case when u.roles = '{}' then 'The portal does not know the role at the source; the person was passed over.'
       else 'This district does not let the sync create people of this role; '
          'the person was passed over. Allow it in the registry, or add the person by hand.' end
from unknown_users u
where not u.roles && %(roles)s::text[] -- else they are resolved, be it as new
  and not exists (select from staging.resolved r where r.run_id = %(run_id)s and r.entity = 'users' and r.n = u.n)
limit 1000;

-- What people have to look at: opened with the adds.
insert into staging.plan (run_id, entity, kind, action, phase, row_id, user_id)
select %(run_id)s, 'worklist', 'match_review', 'open', 'adds', r.new_id, r.candidate_id from review_pairs r;

insert into staging.plan (run_id, entity, kind, action, phase, row_id, changed)
select %(run_id)s, 'worklist', 'role_drift', 'open', 'adds', v.id,
  case when s.roles = '{}' then s.source_roles else s.roles end
from user_view v join staging.users s on s.run_id = %(run_id)s and s.n = v.n
where v.drifts and v.is_in_feed and v.is_known and v.origin = 'sync' and s.source_roles <> '{}'
  and not (v.role = 'school_admin' and 'staff' = any (s.source_roles)) -- Clever has no other word for them
  and (v.is_listed or v.lists_no_school or v.was_in_selected);
