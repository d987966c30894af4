-- A finding per row that was rejected or lost a value, told so that it can be mended at the source; values masked.
-- At most 1,000 rows a rule: the totals stand in sync.run_counts. In: staging.*, raw_rejects, raw_users, raw_classes.
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
  (select 'classes' from staging.classes where run_id = %(run_id)s and source_id is null limit 1000) union all
  (select 'enrollments' from raw_enrollments e
   where (e.source_id is null or e.class_source_id is null or e.user_source_id is null)
     and (select rejected from enrollment_counts) > 0 limit 1000)) e;

-- Few people lost a value: set aside, so that what came of them is looked up once.
create temporary table kept_users on commit drop as
select source_id, keep, given_name, family_name, is_rejected from staging.users where run_id = %(run_id)s and keep <> '{}';
analyze kept_users;
insert into sync.findings (run_id, entity, source_id, severity, rule, field, message)
(select %(run_id)s, 'users', u.source_id, 'warning', 'malformed_email', 'email',
  'The email address is not well formed (it begins with "' || left(btrim(r.email), 1) || '***"); the one in the portal stays. Correct it at the source.'
 from kept_users u join raw_users r on r.source_id = u.source_id where 'email' = any (u.keep) and btrim(r.email) <> '' limit 1000)
union all
(select %(run_id)s, 'users', u.source_id, 'warning', 'unknown_grade', 'grades',
  'The grade "' || left(btrim(r.grades), 1) || '***" is not in the CEDS list (PK, TK, KG, 01 to 13, UG ...); the one in the portal stays. Correct it at the source.'
 from kept_users u join raw_users r on r.source_id = u.source_id where 'grade' = any (u.keep) and r.grades <> '' limit 1000)
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
 from raw_users r where r.status <> 'active' and lower(btrim(r.status)) not in ('', 'active', 'inactive', 'tobedeleted') limit 1000)
union all
(select %(run_id)s, 'enrollments', r.source_id, 'warning', 'malformed_date', 'beginDate',
  'A date is not a day as YYYY-MM-DD; it was passed over. Correct it at the source.'
 from raw_enrollments r
 where ((r.begins_on <> '' and not (r.begins_on like '____-__-__%%' and pg_input_is_valid(r.begins_on, 'date')))
     or (r.ends_on <> '' and not (r.ends_on like '____-__-__%%' and pg_input_is_valid(r.ends_on, 'date'))))
   and (select kept from enrollment_counts) > 0 limit 1000)
union all
(select %(run_id)s, 'enrollments', r.source_id, 'info', 'enrollment_role', 'role',
  'The role in this class is neither student nor teacher; it was passed over.'
 from raw_enrollments r where lower(coalesce(r.role, '')) not in ('student', 'teacher')
   and (select other_roles from enrollment_counts) > 0 limit 1000)
union all
(select %(run_id)s, 'enrollments', null, 'warning', 'dangling_class', 'classSourcedId',
  'The class ' || left(coalesce(e.class_source_id, ''), 60) || ' that an enrolment names is not in the feed; the enrolment was passed over. Share the class, or remove the enrolment.'
 from staging.unusual_enrollments e where (select dangling_classes from enrollment_counts) > 0 and e.run_id = %(run_id)s and e.class_n is null and not e.is_rejected and e.is_active and not %(is_partial)s
   and (%(classes_complete)s or not exists (select from sync.source_ids i where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'classes' and i.source_id = e.class_source_id)) limit 1000)
union all
(select %(run_id)s, 'enrollments', null, 'warning', 'dangling_user', 'userSourcedId',
  'The person ' || left(coalesce(e.user_source_id, ''), 60) || ' whom an enrolment names is not in the feed; the enrolment was passed over. Share the person, or remove the enrolment.'
 from staging.unusual_enrollments e where (select dangling_users from enrollment_counts) > 0 and e.run_id = %(run_id)s and e.user_n is null and not e.is_rejected and e.is_active and not %(is_partial)s
   and (%(users_complete)s or not exists (select from sync.source_ids i where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'users' and i.source_id = e.user_source_id)) limit 1000);

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
