-- What a row of the feed would make of its portal row: one definition, read by the plan and by the apply step.

-- Value by value: a warning keeps the portal's, ids of other registers are never emptied, a hand-set false stays.
create view staging.school_values as
select s.run_id, r.row_id, s.source_id, s.status, s.is_rejected, p.origin,
  case when 'name' = any (s.keep) then p.name else s.name end as name,
  case when 'sis_id' = any (s.keep) then p.sis_id else coalesce(s.sis_id, p.sis_id) end as sis_id,
  case when 'state_id' = any (s.keep) then p.state_id else coalesce(s.state_id, p.state_id) end as state_id,
  case when 'nces_id' = any (s.keep) then p.nces_id else coalesce(s.nces_id, p.nces_id) end as nces_id
from staging.schools s
join staging.resolved r on r.run_id = s.run_id and r.entity = 'schools' and r.source_id = s.source_id
join portal.schools p on p.id = r.row_id;

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

create view staging.class_values as
select s.run_id, r.row_id, s.n, s.source_id, p.origin,
  case when 'sis_id' = any (s.keep) then p.sis_id else s.sis_id end as sis_id,
  case when 'title' = any (s.keep) then p.title else s.title end as title,
  case when 'subject' = any (s.keep) then p.subject else s.subject end as subject,
  case when 'grade' = any (s.keep) then p.grade else s.grade end as grade,
  case when 'period' = any (s.keep) then p.period else s.period end as period,
  case when 'term_name' = any (s.keep) then p.term_name else s.term_name end as term_name,
  s.starts_on, s.ends_on
from staging.classes s
join staging.resolved r on r.run_id = s.run_id and r.entity = 'classes' and r.n = s.n
join portal.classes p on p.id = r.row_id
where s.status = 'active' and not s.is_rejected;

grant select on staging.school_values, staging.user_values, staging.class_values
  to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;

-- The entries of `a` that `b` has otherwise; what is kept of an update's before and after.
create function sync.changed_part(a jsonb, b jsonb) returns jsonb
language sql immutable parallel safe as $$
  select coalesce(jsonb_object_agg(key, value), '{}')
  from jsonb_each(a) where b -> key is distinct from value and key not in ('updated_at', 'updated_run_id')
$$;
create function sync.changed_keys(a jsonb, b jsonb) returns text[]
language sql immutable parallel safe as $$
  select coalesce(array_agg(key order by key), '{}')
  from jsonb_each(a) where b -> key is distinct from value and key not in ('updated_at', 'updated_run_id')
$$;
