-- Which portal person each person of the feed is (docs/rules.md, R4): by key, previous id, then the ladder on proof.
-- Candidates of the ladder: synced people whom the feed does not itself name, each claimed once; nobody guesses.
-- The join by id also finds who is the same in every value (is_same: nothing of them is compared again, see
-- staging.user_values), and who is simple (is_simple: nothing of them has to be judged). What plan/unusual.sql knows
-- of a simple person makes them one to look at again.
-- In: school_view, school_ids, staging.resolved, staging.users.
-- Out: unknown_users, unclaimed_users, user_pairs, new_memberships, staging.resolved.
select staging.match_users_by_id(%(run_id)s, %(district_id)s, %(issuer)s,
  array(select source_id from school_ids order by id, source_id),
    array(select id from school_ids order by id, source_id),
  array(select id from school_view where is_known),
    array(select id from school_view where is_known and is_in_feed and is_selected));
insert into staging.resolved (run_id, entity, source_id, n, row_id, how)
select distinct on (s.source_id) %(run_id)s, 'users', s.source_id, s.n, p.id, 'key'
from portal.users p
join staging.users s on s.run_id = %(run_id)s and s.source_id = p.source_id
where p.district_id = %(district_id)s and p.issuer is null and p.origin = 'manual' and p.source_id is not null
  and not exists (select from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'users' and r.source_id = s.source_id)
order by s.source_id, s.is_rejected, p.id;
select staging.analyze_run(%(run_id)s, array['resolved/users']);

-- An id that a row had before. speed: few are kept, and on most nights none of them comes
insert into staging.resolved (run_id, entity, source_id, n, row_id, how)
select distinct on (p.id) %(run_id)s, 'users', s.source_id, s.n, p.id, 'previous'
from sync.former_ids i
join staging.users s on s.run_id = %(run_id)s and s.source_id = i.source_id
join portal.users p on p.id = i.row_id
where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'users'
  -- speed: else nothing is read
  and exists (select from sync.former_ids f
    where f.district_id = %(district_id)s and f.issuer = %(issuer)s and f.entity = 'users')
  and not exists (select from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'users' and r.source_id = s.source_id)
  and (s.status = 'active' or s.is_rejected) -- that a record is gone says nothing of a row that lives on as another
  and not exists (select from staging.resolved r where r.run_id = %(run_id)s and r.entity = 'users' and r.row_id = p.id)
order by p.id, s.source_id, s.is_rejected;

-- Ids that no row has. speed: on most nights few, and only these are looked for further
create temporary table unknown_users on commit preserve rows as
select s.n, s.source_id, s.roles, s.school_source_ids[1] as school_source_id,
  cardinality(s.school_source_ids) as schools,
  s.school_source_ids[1] is not distinct from s.primary_school_source_id as is_primary
from staging.users s
where s.run_id = %(run_id)s and s.status = 'active' and not s.is_rejected and s.source_id is not null
  and not exists (select from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'users' and r.source_id = s.source_id);
analyze unknown_users (n, source_id, roles);
-- what the ladder compares; speed: a view, as a first load has nobody to compare with
create temporary view unknown_values as
select s.n, s.source_id, s.roles, s.source_roles, s.sis_id, s.email, s.family_name, s.given_name
from unknown_users u join staging.users s on s.run_id = %(run_id)s and s.n = u.n;
-- People of the portal whom the feed does not name. speed: few on most nights; not looked for where nobody is unknown
create temporary table unclaimed_users on commit preserve rows as
select p.id, p.origin, p.role, p.sis_id, p.is_shared, lower(btrim(p.email)) as email, lower(p.given_name) as given_name,
  lower(p.family_name) as family_name
from portal.users p
where p.district_id = %(district_id)s and exists (select from unknown_users)
  and not exists (select from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'users' and r.row_id = p.id);
analyze unclaimed_users;

create temporary table email_pairs on commit preserve rows as
select u.source_id, c.id as row_id, c.origin, c.email
from unknown_values u join unclaimed_users c on c.email = lower(u.email) and c.family_name = lower(u.family_name)
where c.email ~ '^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:].]+$';
analyze email_pairs;
create temporary table own_emails on commit preserve rows as
with asked as (select distinct email from email_pairs),
portal as (
  select a.email from asked a join portal.users p on lower(btrim(p.email)) = a.email
  where p.district_id = %(district_id)s group by a.email having count(*) = 1),
feed as (
  select a.email from asked a join staging.users f on lower(f.email) = a.email
  where f.run_id = %(run_id)s group by a.email having count(*) = 1)
select email from portal join feed using (email);

-- Proofs: the SIS id with a name or the email; or an email that is one person's on both sides, with the family name.
-- A number does not make a student and a member of staff one person: SIS ids of both may overlap. A person in both
-- roles may be either.
create temporary table user_pairs on commit preserve rows as
select 1 as rung, u.source_id, c.id as row_id, c.origin
from unknown_values u join unclaimed_users c on c.sis_id = u.sis_id
where (lower(u.family_name) = c.family_name or lower(u.given_name) = c.given_name or lower(u.email) = c.email)
  and case when c.role = 'student' then 'student' = any (u.roles) or u.source_roles = '{}'
           else u.roles && '{teacher,school_admin,district_admin}' or (u.roles = '{}' and u.source_roles <> '{}') end
union
select 2, e.source_id, e.row_id, e.origin from email_pairs e join own_emails o on o.email = e.email;

insert into staging.resolved (run_id, entity, source_id, n, row_id, how)
select %(run_id)s, 'users', best.source_id, u.n, best.row_id, (array['sis', 'email'])[best.rung]
from (
  select distinct on (p.source_id) p.*,
    count(*) over (partition by p.rung, p.source_id) as candidates,
    count(*) over (partition by p.rung, p.row_id) as claimants
  from user_pairs p where p.origin = 'sync' order by p.source_id, p.rung) best
join unknown_users u on u.source_id = best.source_id
where best.candidates = 1 and best.claimants = 1
  and not exists (select from user_pairs o
    where o.row_id = best.row_id and o.source_id <> best.source_id and o.rung <= best.rung);

-- New: people with a role that this district lets the sync create. They get the first allowed role, once.
-- Simple among them: those whom one school lists, which is in the feed and selected (new_memberships).
-- speed: ids are given school by school: people of the same classes have neighboring ids, and a first load fills the
-- index of enrollments by person from one end to the other (0.5 s instead of 1.0 for 500,000)
insert into staging.resolved (run_id, entity, source_id, n, row_id, how, is_simple, role, school_id, is_primary)
select %(run_id)s, 'users', u.source_id, u.n, nextval('portal.users_id_seq'), 'new',
  (u.schools = 1 and v.is_in_feed and v.is_selected and u.roles[1] = any (%(roles)s::text[])) is true, u.roles[1], v.id,
  u.is_primary
from unknown_users u
left join school_ids i on i.source_id = u.school_source_id
left join school_view v on v.id = i.id
where u.roles && %(roles)s::text[]
  and not exists (select from staging.resolved r where r.run_id = %(run_id)s and r.entity = 'users' and r.n = u.n)
order by (i.id << 32) + u.n; -- speed: one number sorts in half the time of two
create temporary view new_memberships as
select r.row_id as user_id, r.school_id, r.is_primary from staging.resolved r
where r.run_id = %(run_id)s and r.entity = 'users' and r.how = 'new' and r.is_simple;
select staging.analyze_run(%(run_id)s, array['resolved/users']);
-- People whom the source itself calls gone; a rejected row of the same person changes nothing about that.
update staging.resolved r set is_gone = true
from staging.users s join staging.resolved g on g.run_id = %(run_id)s and g.entity = 'users' and g.n = s.n
where s.run_id = %(run_id)s and s.status <> 'active' and not s.is_rejected
  and r.run_id = %(run_id)s and r.entity = 'users' and r.row_id = g.row_id;
