-- Enrollments: added, updated, restored, ended. A row made by hand meanwhile stays as it is.
-- In: staging.plan; phases.
-- Out: portal.enrollments, sync.changes.
insert into portal.enrollments (district_id, class_id, user_id, role, is_primary, begins_on, ends_on, origin,
  created_run_id, updated_run_id)
select %(district_id)s, p.class_id, p.user_id, p.role, p.is_primary, p.begins_on, p.ends_on, 'sync', %(run_id)s,
  %(run_id)s
from staging.plan p
-- A row made by hand meanwhile collides, and the apply step plans again.
-- speed: in the plan's order, which is the index's; `on conflict` would cost 1.4 s
where p.run_id = %(run_id)s and p.entity = 'enrollments' and p.action = 'add' and 'adds' = any (%(phases)s);

with done as (
  update portal.enrollments t
  set is_primary = p.is_primary, begins_on = p.begins_on, ends_on = p.ends_on, is_active = true, ended_at = null,
    updated_run_id = %(run_id)s
  from staging.plan p
  -- speed: else the plan is not read
  where (select r.plan -> 'counts' -> 'enrollments' ?| array['update', 'restore'] from sync.runs r
    where r.id = %(run_id)s)
    and p.run_id = %(run_id)s and p.entity = 'enrollments' and p.action in ('update', 'restore')
      and p.phase = any (%(phases)s)
    and t.class_id = p.class_id and t.user_id = p.user_id and t.role = p.role and t.origin = 'sync'
  returning p.action, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed, phase)
select %(run_id)s, 'enrollments',
  jsonb_build_object('class_id', before -> 'class_id', 'user_id', before -> 'user_id', 'role', before -> 'role'),
  action, d.*, 'adds'
from done, sync.difference(before, after) d;

with done as (
  update portal.enrollments t
  set is_active = false, ended_at = now(), updated_run_id = %(run_id)s
  from staging.plan p
  where (select r.plan -> 'counts' -> 'enrollments' ? 'end' from sync.runs r where r.id = %(run_id)s)
    and p.run_id = %(run_id)s and p.entity = 'enrollments' and p.action = 'end' and p.phase = any (%(phases)s)
    and t.class_id = p.class_id and t.user_id = p.user_id and t.role = p.role and t.origin = 'sync' and t.is_active
  returning to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed, phase)
select %(run_id)s, 'enrollments',
  jsonb_build_object('class_id', before -> 'class_id', 'user_id', before -> 'user_id', 'role', before -> 'role'), 'end',
  d.*, 'removals'
from done, sync.difference(before, after) d;
