-- Classes, with subject from the course where the class has none, and terms as values (earliest start, latest end).
-- In: raw_classes, raw_courses, raw_rejects, staging.terms, staging.schools. A class without a school is rejected.
with course as (
  select distinct on (btrim(c.source_id)) btrim(c.source_id) as source_id, c.title, c.subjects from raw_courses c
  where btrim(c.source_id) <> '' order by btrim(c.source_id), c.title, c.subjects
), listed as (
  select c.*, row_number() over () as n from raw_classes c
), term as (
  -- nearly every class has one term: only of the others is a list taken apart
  select l.n, t.title as term_name, t.starts_on, t.ends_on, t.source_id is null and not %(terms_complete)s as is_partial
  from listed l left join staging.terms t on t.run_id = %(run_id)s and t.source_id = btrim(l.term_source_ids)
  where position(',' in l.term_source_ids) = 0 and btrim(l.term_source_ids) <> ''
  union all
  select l.n, string_agg(t.title, ', ' order by t.starts_on, t.title), min(t.starts_on), max(t.ends_on),
    bool_or(t.source_id is null) and not %(terms_complete)s
  from listed l cross join lateral (select distinct btrim(x) as id from unnest(string_to_array(l.term_source_ids, ',')) x where btrim(x) <> '') i
  left join staging.terms t on t.run_id = %(run_id)s and t.source_id = i.id
  where position(',' in l.term_source_ids) > 0
  group by l.n
)
insert into staging.classes (run_id, n, source_id, status, school_source_id, sis_id, title, subject, grade, period,
  term_name, starts_on, ends_on, is_rejected, keep)
select
  %(run_id)s, l.n, nullif(btrim(l.source_id), ''),
  case when lower(btrim(l.status)) in ('tobedeleted', 'inactive') then 'tobedeleted' else 'active' end,
  nullif(btrim(l.school_source_id), ''), nullif(btrim(l.class_code), ''),
  coalesce(nullif(btrim(l.title), ''), nullif(btrim(course.title), '')),
  nullif(btrim(split_part(coalesce(nullif(btrim(l.subjects), ''), course.subjects), ',', 1)), ''),
  g.grade, nullif(btrim(l.periods), ''), t.term_name, t.starts_on, t.ends_on,
  coalesce(btrim(l.source_id), '') = '',
  array_remove(array[
    case when coalesce(nullif(btrim(l.title), ''), nullif(btrim(course.title), '')) is null then 'title' end,
    case when btrim(split_part(l.grades, ',', 1)) <> '' and g.grade is null then 'grade' end,
    -- terms and a course that this feed leaves out are not gone: what they gave stays
    case when t.is_partial then 'term_name' end, case when t.is_partial then 'starts_on' end, case when t.is_partial then 'ends_on' end,
    case when coalesce(btrim(l.subjects), '') = '' and btrim(l.course_source_id) <> '' and course.source_id is null
      and not %(courses_complete)s then 'subject' end], null)
from listed l
left join course on course.source_id = btrim(l.course_source_id)
left join sync.grades g on g.written = lower(btrim(split_part(l.grades, ',', 1)))
left join term t on t.n = l.n;

insert into staging.classes (run_id, n, source_id, status, school_source_id, is_rejected)
select %(run_id)s, coalesce((select max(n) from staging.classes where run_id = %(run_id)s), 0) + row_number() over (),
  btrim(r.source_id), 'active', btrim(r.known ->> 'school_source_id'), true
from raw_rejects r where r.collection = 'classes' and btrim(r.source_id) <> '';

select staging.analyze_run(%(run_id)s, array['classes']);
-- A class hangs on its school: the feed's, or (where the feed's schools are no whole list) one that the portal knows.
with orphan as (
  update staging.classes c set is_rejected = true
  where c.run_id = %(run_id)s and not c.is_rejected and c.status = 'active'
    and not exists (select from staging.schools s where s.run_id = %(run_id)s and s.source_id = c.school_source_id)
    and not exists (
      select from sync.source_ids i
      where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'schools' and not %(orgs_complete)s
        and i.source_id = c.school_source_id)
  returning c.source_id
)
insert into sync.findings (run_id, entity, source_id, severity, rule, field, message)
select %(run_id)s, 'classes', o.source_id, 'error', 'class_without_school', 'schoolSourcedId',
  'This class names no school that is shared; it was left as it is. Give the class a school at the source, or share its school.'
from orphan o;

with repeated as (
  select source_id from staging.classes
  where run_id = %(run_id)s and not is_rejected group by source_id having count(*) > 1
), gone as (
  delete from staging.classes s using repeated r
  where s.run_id = %(run_id)s and s.source_id = r.source_id and not s.is_rejected returning s.*
), told as (
  insert into sync.findings (run_id, entity, source_id, severity, rule, message)
  select %(run_id)s, 'classes', source_id, 'warning', 'repeated_id',
    'This class comes more than once with the same id; the rows were united. Remove the extra rows at the source.'
  from repeated limit 1000
), living as (
  select g.*, min(g.status) over (partition by g.source_id) as best from gone g
)
insert into staging.classes (run_id, n, source_id, status, school_source_id, sis_id, title, subject, grade, period,
  term_name, starts_on, ends_on, keep)
select %(run_id)s, min(g.n), g.source_id, min(g.status), min(g.school_source_id), min(g.sis_id), min(g.title), min(g.subject),
  min(g.grade), min(g.period), min(g.term_name), min(g.starts_on), max(g.ends_on),
  array_remove(array[
    case when count(distinct g.school_source_id) > 1 then 'school_id' end,
    case when count(distinct g.title) <> 1 then 'title' end,
    case when count(distinct g.subject) > 1 or (bool_or('subject' = any (g.keep)) and count(g.subject) = 0) then 'subject' end,
    case when count(distinct g.grade) > 1 or (bool_or('grade' = any (g.keep)) and count(g.grade) = 0) then 'grade' end,
    case when count(distinct g.period) > 1 then 'period' end,
    case when count(distinct g.term_name) > 1 or bool_or('term_name' = any (g.keep)) then 'term_name' end,
    case when bool_or('starts_on' = any (g.keep)) then 'starts_on' end,
    case when bool_or('ends_on' = any (g.keep)) then 'ends_on' end,
    case when count(distinct g.sis_id) > 1 then 'sis_id' end], null)
from living g where g.status = g.best group by g.source_id;

-- No index of the portal holds a text of more than 2,700 bytes: one such text costs itself, or, as an id, its row.
with cut as (
  update staging.classes set
    source_id = case when octet_length(source_id) > 1000 then null else source_id end,
    is_rejected = is_rejected or coalesce(octet_length(source_id) > 1000, false),
    keep = keep || array_remove(array[
      case when octet_length(sis_id) > 1000 then 'sis_id' end,
      case when octet_length(title) > 1000 then 'title' end,
      case when octet_length(subject) > 1000 then 'subject' end,
      case when octet_length(period) > 1000 then 'period' end,
      case when octet_length(term_name) > 1000 then 'term_name' end], null),
    sis_id = case when octet_length(sis_id) > 1000 then null else sis_id end,
    title = case when octet_length(title) > 1000 then null else title end,
    subject = case when octet_length(subject) > 1000 then null else subject end,
    period = case when octet_length(period) > 1000 then null else period end,
    term_name = case when octet_length(term_name) > 1000 then null else term_name end
  where run_id = %(run_id)s and greatest(octet_length(source_id), octet_length(sis_id), octet_length(title), octet_length(subject), octet_length(period), octet_length(term_name)) > 1000
  returning source_id, is_rejected
)
insert into sync.findings (run_id, entity, source_id, severity, rule, message)
select %(run_id)s, 'classes', source_id, 'warning', 'too_long',
  'A text of this row is longer than 1,000 bytes; the one in the portal stays. Shorten it at the source.'
from cut where not is_rejected limit 1000;
