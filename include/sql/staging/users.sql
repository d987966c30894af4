-- Stages people, with the portal roles that their words map to. In: raw_users, raw_roles, raw_rejects, sync.grades.
-- Out: staging.users, temporary repeated_users. Size: the district's people.
select staging.type_users(%(run_id)s);

insert into staging.users (run_id, n, source_id, status, school_source_ids, is_rejected)
select %(run_id)s, coalesce((select max(n) from staging.users where run_id = %(run_id)s), 0) + row_number() over (),
  btrim(r.source_id), 'active',
  array(select btrim(o) from unnest(string_to_array(r.known ->> 'org_source_ids', ',')) o), true
from raw_rejects r where r.collection = 'users' and btrim(r.source_id) <> '';

-- Someone whose role line could not be read is not wholly known: left as the portal has them.
update staging.users u set is_rejected = true
from raw_rejects r where u.run_id = %(run_id)s and r.collection = 'roles'
  and u.source_id = btrim(r.known ->> 'user_source_id')
  and exists (select from raw_rejects where collection = 'roles'); -- else nothing is read

select staging.analyze_run(%(run_id)s, array['users/rows']);
-- Rows that repeat an id are folded: schools and roles united, active beats gone; where values differ, the portal's
-- wins. Whether any does is found by numbers that workers sort; a hash table of 100,000 texts takes twice as long.
set local enable_hashagg = off;
create temporary table repeated_hashes on commit drop as
select hashtextextended(source_id, 0) as hash from staging.users
where run_id = %(run_id)s and not is_rejected and source_id is not null group by 1 having count(*) > 1;
set local enable_hashagg = on;
create temporary table repeated_users on commit preserve rows as
select source_id, count(*) as times from staging.users
where run_id = %(run_id)s and not is_rejected and hashtextextended(source_id, 0) in (select hash from repeated_hashes)
  and exists (select from repeated_hashes) -- else nothing is read
group by source_id having count(*) > 1;
with gone as (
  delete from staging.users s using repeated_users r
  where s.run_id = %(run_id)s and s.source_id = r.source_id and not s.is_rejected returning s.*
), reported as (
  insert into sync.findings (run_id, entity, source_id, severity, rule, message)
  select %(run_id)s, 'users', source_id, 'warning', 'repeated_id',
    'This person comes more than once with the same id; the rows were united. Remove the extra rows at the source.'
  from repeated_users limit 1000
), living as (
  -- a row that is gone counts for nothing next to one that is active
  select * from (select g.*, min(g.status) over (partition by g.source_id) as best from gone g) g
  where g.status = g.best
), words as ( -- lists are united in one pass each: a source that writes a person once per school repeats everyone
  select l.source_id, array_agg(distinct w) as source_roles from living l, unnest(l.source_roles) w group by l.source_id
), roles as (
  select d.source_id,
    array_agg(d.r order by array_position(array['teacher', 'school_admin', 'district_admin', 'student'], d.r)) as roles
  from (select distinct l.source_id, r from living l, unnest(l.roles) r) d group by d.source_id
), places as (
  select l.source_id, array_agg(distinct o) as school_source_ids from living l, unnest(l.school_source_ids) o
  group by l.source_id
), folded as (
  select min(g.n) as n, g.source_id, min(g.status) as status,
    min(g.primary_school_source_id) as primary_school_source_id, min(g.email) as email, min(g.username) as username,
    min(g.given_name) as given_name, min(g.family_name) as family_name, min(g.grade) as grade,
    min(g.sis_id) as sis_id, min(g.state_id) as state_id, bool_and(g.is_enabled) as is_enabled,
    array_remove(array[
      case when count(distinct g.email) > 1
        or (bool_or('email' = any (g.keep)) and count(g.email) = 0) then 'email' end,
      case when count(distinct g.username) > 1 then 'username' end,
      case when count(distinct g.given_name) <> 1 then 'given_name' end,
      case when count(distinct g.family_name) <> 1 then 'family_name' end,
      case when count(distinct g.grade) > 1
        or (bool_or('grade' = any (g.keep)) and count(g.grade) = 0) then 'grade' end,
      case when count(distinct g.sis_id) > 1 then 'sis_id' end,
      case when count(distinct g.state_id) > 1 then 'state_id' end], null) as keep
  from living g group by g.source_id
)
insert into staging.users (run_id, n, source_id, status, source_roles, roles, school_source_ids,
  primary_school_source_id,
  email, username, given_name, family_name, grade, sis_id, state_id, is_enabled, keep)
select %(run_id)s, f.n, f.source_id, f.status, coalesce(w.source_roles, '{}'), coalesce(r.roles, '{}'),
  coalesce(o.school_source_ids, '{}'),
  f.primary_school_source_id, f.email, f.username, f.given_name, f.family_name, f.grade, f.sis_id, f.state_id,
  f.is_enabled, f.keep
from folded f
left join words w on w.source_id = f.source_id
left join roles r on r.source_id = f.source_id
left join places o on o.source_id = f.source_id;

-- No index of the portal holds a text of more than 2,700 bytes: one such text costs itself, or, as an id, its row.
create temporary table long_users on commit drop as -- not within the statement below: one that updates has no workers
select n from staging.users
where run_id = %(run_id)s
  and (staging.is_too_long(source_id) or staging.is_too_long(email) or staging.is_too_long(username)
    or staging.is_too_long(given_name) or staging.is_too_long(family_name) or staging.is_too_long(sis_id)
    or staging.is_too_long(state_id));
with cut as (
  update staging.users set
    source_id = staging.unless_too_long(source_id),
    is_rejected = is_rejected or coalesce(staging.is_too_long(source_id), false),
    keep = keep || array_remove(array[
      case when staging.is_too_long(email) then 'email' end,
      case when staging.is_too_long(username) then 'username' end,
      case when staging.is_too_long(given_name) then 'given_name' end,
      case when staging.is_too_long(family_name) then 'family_name' end,
      case when staging.is_too_long(sis_id) then 'sis_id' end,
      case when staging.is_too_long(state_id) then 'state_id' end], null),
    email = staging.unless_too_long(email),
    username = staging.unless_too_long(username),
    given_name = staging.unless_too_long(given_name),
    family_name = staging.unless_too_long(family_name),
    sis_id = staging.unless_too_long(sis_id),
    state_id = staging.unless_too_long(state_id)
  -- else nothing is read
  where run_id = %(run_id)s and n in (select n from long_users) and exists (select from long_users)
  returning source_id, is_rejected
)
insert into sync.findings (run_id, entity, source_id, severity, rule, message)
select %(run_id)s, 'users', source_id, 'warning', 'too_long',
  'A text of this row is longer than 1,000 bytes; the one in the portal stays. Shorten it at the source.'
from cut where not is_rejected limit 1000;
