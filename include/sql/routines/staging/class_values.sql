-- The values that each resolved class of the feed gives its portal row. The plan and the apply step read them here.
-- A column in `keep` was dropped by a warning and keeps the portal's value; so do the dates of a class whose terms did
-- not all come (a delta file names terms that are in no feed).
create view staging.class_values as
select s.run_id, r.row_id, s.n, s.source_id, p.origin,
  case when 'sis_id' = any (s.keep) then p.sis_id else s.sis_id end as sis_id,
  case when 'title' = any (s.keep) then p.title else s.title end as title,
  case when 'subject' = any (s.keep) then p.subject else s.subject end as subject,
  case when 'grade' = any (s.keep) then p.grade else s.grade end as grade,
  case when 'period' = any (s.keep) then p.period else s.period end as period,
  case when 'term_name' = any (s.keep) then p.term_name else s.term_name end as term_name,
  case when 'starts_on' = any (s.keep) then p.starts_on else s.starts_on end as starts_on,
  case when 'ends_on' = any (s.keep) then p.ends_on else s.ends_on end as ends_on
from staging.classes s
join staging.resolved r on r.run_id = s.run_id and r.entity = 'classes' and r.n = s.n
join portal.classes p on p.id = r.row_id
where s.status = 'active' and not s.is_rejected;
comment on view staging.class_values is 'The values that each class of a run''s feed gives its portal row.';
grant select on staging.class_values to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
