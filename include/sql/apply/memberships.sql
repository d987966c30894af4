-- Schools of people: added, restored, ended. A row made by hand meanwhile stays as it is.
-- In: staging.plan; phases.
-- Out: portal.user_schools, sync.changes.
insert into portal.user_schools (user_id, school_id, is_primary, origin, created_run_id, updated_run_id)
select p.user_id, p.school_id, p.is_primary, 'sync', %(run_id)s, %(run_id)s
from staging.plan p
-- speed: in the plan's order, nearly the key's
where p.run_id = %(run_id)s and p.entity = 'user_schools' and p.action = 'add' and 'adds' = any (%(phases)s);

with done as (
  update portal.user_schools t
  set is_primary = p.is_primary, is_active = true, ended_at = null, updated_run_id = %(run_id)s
  from staging.plan p
  where exists (select from sync.runs r cross join jsonb_each(r.plan -> 'counts') k
      -- speed: else the plan is not read
      where r.id = %(run_id)s and k.key = 'memberships' and k.value ?| array['update', 'restore'])
    and p.run_id = %(run_id)s and p.entity = 'user_schools' and p.action in ('update', 'restore')
      and p.phase = any (%(phases)s)
    and t.user_id = p.user_id and t.school_id = p.school_id and t.origin = 'sync'
  returning p.action, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed, phase)
select %(run_id)s, 'user_schools',
  jsonb_build_object('user_id', before -> 'user_id', 'school_id', before -> 'school_id'), action, d.*, 'adds'
from done, sync.difference(before, after) d;

with done as (
  update portal.user_schools t
  set is_active = false, ended_at = now(), updated_run_id = %(run_id)s
  from staging.plan p
  where exists (select from sync.runs r cross join jsonb_each(r.plan -> 'counts') k
      where r.id = %(run_id)s and k.key = 'memberships' and k.value ?| array['end']) -- speed: else the plan is not read
    and p.run_id = %(run_id)s and p.entity = 'user_schools' and p.action = 'end' and p.phase = any (%(phases)s)
    and t.user_id = p.user_id and t.school_id = p.school_id and t.origin = 'sync' and t.is_active
  returning to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed, phase)
select %(run_id)s, 'user_schools',
  jsonb_build_object('user_id', before -> 'user_id', 'school_id', before -> 'school_id'), 'end', d.*, 'removals'
from done, sync.difference(before, after) d;
