-- Records a finding per row that was rejected or lost a value, with how to correct it at the source; values masked.
-- At most 1,000 rows a rule: the totals are in sync.run_counts. Enrollments have theirs in enrollment_findings.sql.
-- In: staging.*, raw_rejects, raw_users, raw_orgs, raw_terms, raw_courses. Out: temporary odd_users.
insert into sync.findings (run_id, entity, source_id, severity, rule, message, line)
select %(run_id)s,
  case r.collection when 'orgs' then 'schools' when 'roles' then 'users' else r.collection end,
  r.source_id, case when r.rule = 'blank_line' then 'warning' else 'error' end, r.rule, r.message, r.line
from raw_rejects r order by r.line limit 10000;

-- Of people, those of whom there is something to report: few, and set aside in one pass. By tables, not within the
-- INSERT, which has no parallel workers (PostgreSQL 18.4). is_elsewhere: most list one school; only of the others, and
-- of those whose first is in no list of organizations, is each looked up below.
create temporary table odd_users on commit drop as
select s.source_id, s.keep, s.email, s.username, s.sis_id, s.given_name, s.family_name, s.is_rejected,
  s.school_source_ids,
  s.school_source_ids <> '{}' and (g.source_id is null or cardinality(s.school_source_ids) > 1) as is_elsewhere
from staging.users s
left join unnest(array(select distinct source_id from raw_orgs)) g (source_id) on g.source_id = s.school_source_ids[1]
where s.run_id = %(run_id)s and (s.source_id is null or s.keep <> '{}'
  or (s.school_source_ids <> '{}' and (g.source_id is null or cardinality(s.school_source_ids) > 1)));
analyze odd_users;
create temporary table kept_values on commit drop as -- what the source wrote where a value was lost
select u.source_id, u.keep, r.email, r.grades from odd_users u join raw_users r on r.source_id = u.source_id
where u.keep && array['email', 'grade'];
create temporary table odd_statuses on commit drop as
select r.source_id from raw_users r
where r.status <> 'active' and lower(btrim(r.status)) not in ('', 'active', 'inactive', 'tobedeleted') limit 1000;

insert into sync.findings (run_id, entity, severity, rule, field, message)
select %(run_id)s, e.entity, 'error', 'missing_id', 'sourcedId',
  'This row has no id, or one of more than 1,000 bytes, so nobody can tell whom it means; '
  'it was passed over. Give it its id at the source.'
from (
  (select 'schools' as entity from staging.schools where run_id = %(run_id)s and source_id is null limit 1000) union all
  (select 'users' from odd_users where source_id is null limit 1000) union all
  (select 'classes' from staging.classes where run_id = %(run_id)s and source_id is null limit 1000) union all
  (select 'terms' from raw_terms where coalesce(btrim(source_id), '') = '' limit 1000) union all
  (select 'courses' from raw_courses where coalesce(btrim(source_id), '') = '' limit 1000)) e;

insert into sync.findings (run_id, entity, source_id, severity, rule, field, message)
(select %(run_id)s, 'users', u.source_id, 'warning', 'malformed_email', 'email',
  'The email address is not well formed (it begins with "' || left(btrim(u.email), 1)
    || '***"); the one in the portal stays. Correct it at the source.'
 from kept_values u where 'email' = any (u.keep) and btrim(u.email) <> '' limit 1000)
union all
(select %(run_id)s, 'users', u.source_id, 'warning', 'unknown_grade', 'grades',
  'The grade "' || left(btrim(u.grades), 1)
    || '***" is not in the CEDS list (PK, TK, KG, 01 to 13, UG ...); '
    'the one in the portal stays. Correct it at the source.'
 from kept_values u where 'grade' = any (u.keep) and u.grades <> '' limit 1000)
union all
(select %(run_id)s, 'users', u.source_id, 'warning', 'missing_name',
  case when 'given_name' = any (u.keep) then 'givenName' else 'familyName' end,
  'A part of the name is empty or too long; the one in the portal stays. Fill it in at the source.'
 from odd_users u where u.keep <> '{}' and not u.is_rejected and (u.given_name is null or u.family_name is null)
 limit 1000)
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
  'The grade of this class is not in the CEDS list (PK, TK, KG, 01 to 13, UG ...); '
  'the one in the portal stays. Correct it at the source.'
 from staging.classes c where c.run_id = %(run_id)s and 'grade' = any (c.keep) limit 1000)
union all
(select %(run_id)s, 'terms', t.source_id, 'warning', 'malformed_date',
  case when 'starts_on' = any (t.keep) then 'startDate' else 'endDate' end,
  'A date of this term is not a day as YYYY-MM-DD; its classes keep the one that they have. Correct it at the source.'
 from staging.terms t where t.run_id = %(run_id)s and t.keep <> '{}' limit 1000)
union all
(select %(run_id)s, 'users', nullif(btrim(r.source_id), ''), 'warning', 'unknown_status', 'status',
  'The status is neither active nor tobedeleted; the row was taken as active. Correct it at the source.'
 from odd_statuses r);

-- A person's organizations that are in no list of organizations; districts and departments are not
-- schools and are fine.
insert into sync.findings (run_id, entity, source_id, severity, rule, field, message)
select %(run_id)s, 'users', d.source_id, 'warning', 'dangling_school', 'orgSourcedIds',
  'An organization that this person is listed in is not in the feed; '
  'it was passed over. Share it, or correct the person.'
from (
  select distinct u.source_id
  from odd_users u
  cross join unnest(u.school_source_ids) o (id)
  left join raw_orgs g on g.source_id = o.id
  where u.is_elsewhere and g.source_id is null
    and (%(orgs_complete)s or not exists (
      select from sync.source_ids i
      where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'schools' and i.source_id = o.id))
  limit 1000) d;
