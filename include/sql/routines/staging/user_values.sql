-- The values that each resolved person of the feed gives their portal row. The plan and the apply step both read them
-- here. A column in `keep` was dropped by a warning and keeps the portal's value; a state id is never emptied; an
-- account that people disabled by hand stays disabled, whatever the source says.
create view staging.user_values as
select s.run_id, r.row_id, s.n, s.source_id, s.roles, s.source_roles, p.origin,
  case when 'email' = any (s.keep) then p.email else s.email end as email,
  case when 'username' = any (s.keep) then p.username else s.username end as username,
  case when 'given_name' = any (s.keep) then p.given_name else s.given_name end as given_name,
  case when 'family_name' = any (s.keep) then p.family_name else s.family_name end as family_name,
  case when 'grade' = any (s.keep) then p.grade else s.grade end as grade,
  case when 'sis_id' = any (s.keep) then p.sis_id else s.sis_id end as sis_id,
  case when 'state_id' = any (s.keep) then p.state_id else coalesce(s.state_id, p.state_id) end as state_id,
  case when s.is_enabled is null or (not p.is_enabled and p.is_enabled_at_source is distinct from false)
    then p.is_enabled else s.is_enabled end as is_enabled,
  case when s.is_enabled is null or (not p.is_enabled and p.is_enabled_at_source is distinct from false)
    then p.is_enabled_at_source else s.is_enabled end as is_enabled_at_source
from staging.users s
join staging.resolved r on r.run_id = s.run_id and r.entity = 'users' and r.n = s.n
join portal.users p on p.id = r.row_id
where s.status = 'active' and not s.is_rejected;
comment on view staging.user_values is 'The values that each person of a run''s feed gives their portal row.';
grant select on staging.user_values to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
