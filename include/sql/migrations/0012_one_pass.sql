-- What lets a plan read its enrolments once: where a resolved person or class belongs, and whether the portal differs.
alter table staging.resolved
  add column school_id bigint, -- users: the first school that they list; classes: the school they are in after this run
  add column is_gone boolean not null default false, -- the source itself calls the row gone
  add column is_same boolean not null default false; -- users: every value is what the portal has

-- The feed's enrolments in portal ids, one row per line; no temporary table, so that the workers of a parallel plan read it.
create view staging.resolved_enrollments as
select e.run_id, c.row_id as class_id, u.row_id as user_id, e.role, e.is_active, e.is_primary, e.begins_on, e.ends_on,
  e.keep is not null as keeps_dates, c.school_id is distinct from u.school_id as is_elsewhere
from staging.enrollments e
join staging.resolved c on c.run_id = e.run_id and c.entity = 'classes' and c.n = e.class_n
join staging.resolved u on u.run_id = e.run_id and u.entity = 'users' and u.n = e.user_n and not u.is_gone
where e.role is not null and not e.is_rejected;
grant select on staging.resolved_enrollments to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
