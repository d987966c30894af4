-- The values that each resolved school of the feed gives its portal row. The plan and the apply step both read them
-- here. A column in `keep` was dropped by a warning and keeps the portal's value; ids of other registers are never
-- emptied.
create view staging.school_values as
select s.run_id, r.row_id, s.source_id, s.status, s.is_rejected, p.origin,
  case when 'name' = any (s.keep) then p.name else s.name end as name,
  case when 'sis_id' = any (s.keep) then p.sis_id else coalesce(s.sis_id, p.sis_id) end as sis_id,
  case when 'state_id' = any (s.keep) then p.state_id else coalesce(s.state_id, p.state_id) end as state_id,
  case when 'nces_id' = any (s.keep) then p.nces_id else coalesce(s.nces_id, p.nces_id) end as nces_id
from staging.schools s
join staging.resolved r on r.run_id = s.run_id and r.entity = 'schools' and r.source_id = s.source_id
join portal.schools p on p.id = r.row_id;
comment on view staging.school_values is 'The values that each school of a run''s feed gives its portal row.';
grant select on staging.school_values to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
