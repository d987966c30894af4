-- A finding per row that was rejected or lost a value, told so that it can be mended at the source; values masked.
-- At most 1,000 rows a rule: the totals stand in sync.run_counts. Enrolments have theirs in enrollment_findings.sql.
-- In: staging.schools, .users, .classes, raw_rejects, raw_users, raw_orgs.
insert into sync.findings (run_id, entity, source_id, severity, rule, message, line)
select %(run_id)s,
  case r.collection when 'orgs' then 'schools' when 'roles' then 'users' else r.collection end,
  r.source_id, case when r.rule = 'blank_line' then 'warning' else 'error' end, r.rule, r.message, r.line
from raw_rejects r order by r.line limit 10000;

insert into sync.findings (run_id, entity, severity, rule, field, message)
select %(run_id)s, e.entity, 'error', 'missing_id', 'sourcedId',
  'This row has no id, or one of more than 1,000 bytes, so nobody can tell whom it means; it was passed over. Give it its id at the source.'
from (
  (select 'schools' as entity from staging.schools where run_id = %(run_id)s and source_id is null limit 1000) union all
  (select 'users' from staging.users where run_id = %(run_id)s and source_id is null limit 1000) union all
  (select 'classes' from staging.classes where run_id = %(run_id)s and source_id is null limit 1000)) e;

-- Few people lost a value: set aside, so that what came of them is looked up once. By tables, not within the INSERT, which has no
-- parallel workers (PostgreSQL 18.4).
create temporary table kept_users on commit drop as
select source_id, keep, given_name, family_name, is_rejected from staging.users where run_id = %(run_id)s and keep <> '{}';
analyze kept_users;
create temporary table kept_values on commit drop as
select u.source_id, u.keep, r.email, r.grades from kept_users u join raw_users r on r.source_id = u.source_id;
create temporary table odd_statuses on commit drop as
select r.source_id from raw_users r
where r.status <> 'active' and lower(btrim(r.status)) not in ('', 'active', 'inactive', 'tobedeleted') limit 1000;
insert into sync.findings (run_id, entity, source_id, severity, rule, field, message)
(select %(run_id)s, 'users', u.source_id, 'warning', 'malformed_email', 'email',
  'The email address is not well formed (it begins with "' || left(btrim(u.email), 1) || '***"); the one in the portal stays. Correct it at the source.'
 from kept_values u where 'email' = any (u.keep) and btrim(u.email) <> '' limit 1000)
union all
(select %(run_id)s, 'users', u.source_id, 'warning', 'unknown_grade', 'grades',
  'The grade "' || left(btrim(u.grades), 1) || '***" is not in the CEDS list (PK, TK, KG, 01 to 13, UG ...); the one in the portal stays. Correct it at the source.'
 from kept_values u where 'grade' = any (u.keep) and u.grades <> '' limit 1000)
union all
(select %(run_id)s, 'users', u.source_id, 'warning', 'missing_name', case when 'given_name' = any (u.keep) then 'givenName' else 'familyName' end,
  'A part of the name is empty or too long; the one in the portal stays. Fill it in at the source.'
 from kept_users u where not u.is_rejected and (u.given_name is null or u.family_name is null) limit 1000)
union all
(select %(run_id)s, 'schools', s.source_id, 'warning', 'missing_name', 'name',
  'The school has no name, or one that is too long; the one in the portal stays. Fill it in at the source.'
 from staging.schools s where s.run_id = %(run_id)s and not s.is_rejected and s.name is null limit 1000)
union all
(select %(run_id)s, 'classes', c.source_id, 'warning', 'missing_name', 'title',
  'The class has no title, or one that is too long; the one in the portal stays. Fill it in at the source.'
 from staging.classes c where c.run_id = %(run_id)s and not c.is_rejected and c.title is null limit 1000)
union all
(select %(run_id)s, 'classes', c.source_id, 'warning', 'unknown_grade', 'grades',
  'The grade of this class is not in the CEDS list (PK, TK, KG, 01 to 13, UG ...); the one in the portal stays. Correct it at the source.'
 from staging.classes c where c.run_id = %(run_id)s and 'grade' = any (c.keep) limit 1000)
union all
(select %(run_id)s, 'users', nullif(btrim(r.source_id), ''), 'warning', 'unknown_status', 'status',
  'The status is neither active nor tobedeleted; the row was taken as active. Correct it at the source.'
 from odd_statuses r);

-- A person's organisations that are in no list of organisations; districts and departments are not schools and are fine.
-- Most people list one school: only of the others, and of those whose first is not in the feed, is each looked up.
create temporary table many_schools on commit drop as -- not INSERT, which has no parallel workers (PostgreSQL 18.4)
select s.source_id, s.school_source_ids
from staging.users s left join unnest(array(select distinct source_id from raw_orgs)) g (source_id) on g.source_id = s.school_source_ids[1]
where s.run_id = %(run_id)s and s.school_source_ids <> '{}' and (g.source_id is null or cardinality(s.school_source_ids) > 1);
insert into sync.findings (run_id, entity, source_id, severity, rule, field, message)
select %(run_id)s, 'users', d.source_id, 'warning', 'dangling_school', 'orgSourcedIds',
  'An organisation that this person is listed in is not in the feed; it was passed over. Share it, or correct the person.'
from (
  select distinct u.source_id
  from many_schools u
  cross join unnest(u.school_source_ids) o (id)
  left join raw_orgs g on g.source_id = o.id
  where g.source_id is null
    and (%(orgs_complete)s or not exists (select from sync.source_ids i where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'schools' and i.source_id = o.id)) limit 1000) d;
