-- Records a finding per enrollment that was rejected, lost a value or points nowhere, as row_findings.sql has them for
-- the rest.
-- In: raw_enrollments, staging.unusual_enrollments, enrollment_counts, which says what need not be looked for.
insert into sync.findings (run_id, entity, severity, rule, field, message)
select %(run_id)s, 'enrollments', 'error', 'missing_id', 'sourcedId',
  'This row has no id, or one of more than 1,000 bytes, so nobody can tell whom it means; '
  'it was passed over. Give it its id at the source.'
from raw_enrollments e
where (staging.is_blank(e.source_id) or staging.is_blank(e.class_source_id) or staging.is_blank(e.user_source_id))
  and (select rejected from enrollment_counts) > 0 limit 1000;

insert into sync.findings (run_id, entity, source_id, severity, rule, field, message)
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
  'The class ' || left(coalesce(e.class_source_id, ''), 60)
    || ' that an enrollment names is not in the feed; the enrollment was passed over. '
    'Share the class, or remove the enrollment.'
 from staging.unusual_enrollments e
 where (select dangling_classes from enrollment_counts) > 0 and e.run_id = %(run_id)s and e.class_n is null
   and not e.is_rejected and e.is_active and not %(is_partial)s
   and (%(classes_complete)s or not exists (
     select from sync.source_ids i
     where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'classes'
       and i.source_id = e.class_source_id)) limit 1000)
union all
(select %(run_id)s, 'enrollments', null, 'warning', 'dangling_user', 'userSourcedId',
  'The person ' || left(coalesce(e.user_source_id, ''), 60)
    || ' whom an enrollment names is not in the feed; the enrollment was passed over. '
    'Share the person, or remove the enrollment.'
 from staging.unusual_enrollments e
 where (select dangling_users from enrollment_counts) > 0 and e.run_id = %(run_id)s and e.user_n is null
   and not e.is_rejected and e.is_active and not %(is_partial)s
   and (%(users_complete)s or not exists (
     select from sync.source_ids i
     where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'users'
       and i.source_id = e.user_source_id)) limit 1000);
