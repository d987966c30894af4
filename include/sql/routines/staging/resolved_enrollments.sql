-- The feed's enrollments in portal ids, one row per line of the feed.
create view staging.resolved_enrollments as
select e.run_id, c.row_id as class_id, u.row_id as user_id, e.role, e.is_active, e.is_primary, e.begins_on, e.ends_on,
  e.keeps_dates
from staging.enrollments e
join staging.resolved c on c.run_id = e.run_id and c.entity = 'classes' and c.n = e.class_n
join staging.resolved u on u.run_id = e.run_id and u.entity = 'users' and u.n = e.user_n and not u.is_gone
where e.role is not null and not e.is_rejected;
comment on view staging.resolved_enrollments is 'A run''s enrollments with the portal ids of class and person.';
grant select on staging.resolved_enrollments to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
