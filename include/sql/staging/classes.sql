-- Stages classes, with subject from the course where the class has none, and terms as values (earliest start, latest
-- end).
-- In: raw_classes, raw_courses, raw_rejects, staging.terms, staging.schools. Out: staging.classes, temporary
-- repeated_classes. A class without a school is rejected.
with course as (
  select distinct on (btrim(c.source_id)) btrim(c.source_id) as source_id, c.title, c.subjects from raw_courses c
  where btrim(c.source_id) <> '' order by btrim(c.source_id), c.title, c.subjects
), terms as (
  -- nearly every class has one term: only of the others is a list taken apart
  select l.n, string_agg(t.title, ', ' order by t.starts_on, t.title) as title, min(t.starts_on) as starts_on,
    max(t.ends_on) as ends_on,
    bool_or(t.source_id is null) as are_some_missing,
    bool_or('starts_on' = any (t.keep)) as keeps_start, bool_or('ends_on' = any (t.keep)) as keeps_end
  from raw_classes l
  cross join lateral (select distinct btrim(x) as id from unnest(string_to_array(l.term_source_ids, ',')) x
    where btrim(x) <> '') i
  left join staging.terms t on t.run_id = %(run_id)s and t.source_id = i.id
  where strpos(l.term_source_ids, ',') > 0
  group by l.n
), looked_up as (
  select l.*, staging.trimmed(l.title) as own_title,
    coalesce(nullif(staging.trimmed(l.subjects), ''), c.subjects) as all_subjects,
    c.source_id as course_id, c.title as course_title, g.grade as known_grade,
    case when m.n is null then t.title else m.title end as term_name,
    case when m.n is null then t.starts_on else m.starts_on end as starts_on,
    case when m.n is null then t.ends_on else m.ends_on end as ends_on,
    not %(terms_complete)s and case when m.n is not null then m.are_some_missing
      else t.source_id is null and btrim(l.term_source_ids) <> '' end as is_partial,
    coalesce(m.keeps_start, 'starts_on' = any (t.keep), false) as keeps_start,
    coalesce(m.keeps_end, 'ends_on' = any (t.keep), false) as keeps_end
  from raw_classes l
  left join course c on c.source_id = staging.trimmed(l.course_source_id)
  left join sync.grades g on g.written = lower(btrim(split_part(l.grades, ',', 1)))
  left join staging.terms t on t.run_id = %(run_id)s and t.source_id = staging.trimmed(l.term_source_ids)
  left join terms m on m.n = l.n
)
insert into staging.classes (run_id, n, source_id, status, school_source_id, sis_id, title, subject, grade, period,
  term_name, starts_on, ends_on, is_rejected, keep)
select
  %(run_id)s, l.n, nullif(staging.trimmed(l.source_id), ''),
  staging.as_status(l.status),
  nullif(staging.trimmed(l.school_source_id), ''), nullif(staging.trimmed(l.class_code), ''),
  coalesce(nullif(l.own_title, ''), nullif(btrim(l.course_title), '')),
  nullif(btrim(case when strpos(l.all_subjects, ',') = 0 then l.all_subjects
    else split_part(l.all_subjects, ',', 1) end), ''),
  l.known_grade, nullif(staging.trimmed(l.periods), ''), l.term_name, l.starts_on, l.ends_on,
  l.source_id is null or btrim(l.source_id) = '',
  -- spelled out for the many before it is worked out for the few
  case when l.own_title <> '' and (l.grades is null or l.known_grade is not null)
    and not (l.is_partial or l.keeps_start or l.keeps_end)
    and (staging.trimmed(l.subjects) <> '' or l.course_id is not null)
    then '{}'::text[] else array_remove(array[
    case when coalesce(nullif(l.own_title, ''), nullif(btrim(l.course_title), '')) is null then 'title' end,
    case when btrim(split_part(l.grades, ',', 1)) <> '' and l.known_grade is null then 'grade' end,
    -- terms and a course that this feed leaves out, or that could not be read, are not gone: what they gave stays
    case when l.is_partial then 'term_name' end, case when l.is_partial or l.keeps_start then 'starts_on' end,
    case when l.is_partial or l.keeps_end then 'ends_on' end,
    case when coalesce(btrim(l.subjects), '') = '' and btrim(l.course_source_id) <> '' and l.course_id is null
      and not %(courses_complete)s then 'subject' end], null) end
from looked_up l;

insert into staging.classes (run_id, n, source_id, status, school_source_id, is_rejected)
select %(run_id)s, coalesce((select max(n) from staging.classes where run_id = %(run_id)s), 0) + row_number() over (),
  btrim(r.source_id), 'active', btrim(r.known ->> 'school_source_id'), true
from raw_rejects r where r.collection = 'classes' and btrim(r.source_id) <> '';

select staging.analyze_run(%(run_id)s, array['classes']);
-- A class belongs to a school: the feed's, or (where the feed's schools are no whole list) one that the portal knows.
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
  'This class names no school that is shared; '
  'it was left as it is. Give the class a school at the source, or share its school.'
from orphan o;

-- Rows that repeat an id are folded, and counted here: n has gaps, as the numbers of a read that was given up never
-- come back.
create temporary table repeated_classes on commit preserve rows as
select source_id, count(*) as times from staging.classes
where run_id = %(run_id)s and not is_rejected group by source_id having count(*) > 1;
with gone as (
  delete from staging.classes s using repeated_classes r
  where s.run_id = %(run_id)s and s.source_id = r.source_id and not s.is_rejected returning s.*
), reported as (
  insert into sync.findings (run_id, entity, source_id, severity, rule, message)
  select %(run_id)s, 'classes', source_id, 'warning', 'repeated_id',
    'This class comes more than once with the same id; the rows were united. Remove the extra rows at the source.'
  from repeated_classes limit 1000
), living as (
  select g.*, min(g.status) over (partition by g.source_id) as best from gone g
)
insert into staging.classes (run_id, n, source_id, status, school_source_id, sis_id, title, subject, grade, period,
  term_name, starts_on, ends_on, keep)
select %(run_id)s, min(g.n), g.source_id, min(g.status), min(g.school_source_id), min(g.sis_id), min(g.title),
  min(g.subject),
  min(g.grade), min(g.period), min(g.term_name), min(g.starts_on), max(g.ends_on),
  array_remove(array[
    case when count(distinct g.school_source_id) > 1 then 'school_id' end,
    case when count(distinct g.title) <> 1 then 'title' end,
    case when count(distinct g.subject) > 1
      or (bool_or('subject' = any (g.keep)) and count(g.subject) = 0) then 'subject' end,
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
    source_id = staging.unless_too_long(source_id),
    is_rejected = is_rejected or coalesce(staging.is_too_long(source_id), false),
    keep = keep || array_remove(array[
      case when staging.is_too_long(sis_id) then 'sis_id' end,
      case when staging.is_too_long(title) then 'title' end,
      case when staging.is_too_long(subject) then 'subject' end,
      case when staging.is_too_long(period) then 'period' end,
      case when staging.is_too_long(term_name) then 'term_name' end], null),
    sis_id = staging.unless_too_long(sis_id),
    title = staging.unless_too_long(title),
    subject = staging.unless_too_long(subject),
    period = staging.unless_too_long(period),
    term_name = staging.unless_too_long(term_name)
  where run_id = %(run_id)s
    and (staging.is_too_long(source_id) or staging.is_too_long(sis_id) or staging.is_too_long(title)
    or staging.is_too_long(subject) or staging.is_too_long(period) or staging.is_too_long(term_name))
  returning source_id, is_rejected
)
insert into sync.findings (run_id, entity, source_id, severity, rule, message)
select %(run_id)s, 'classes', source_id, 'warning', 'too_long',
  'A text of this row is longer than 1,000 bytes; the one in the portal stays. Shorten it at the source.'
from cut where not is_rejected limit 1000;
