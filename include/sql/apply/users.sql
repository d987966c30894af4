-- Adds, updates and restores people as planned. The role is given once, here, at creation; no statement updates it.
-- In: staging.plan, staging.users, staging.user_values; phases.
-- Out: portal.users, sync.changes.
insert into portal.users (id, district_id, issuer, source_id, sis_id, state_id, role, email, username, given_name,
  family_name,
  grade, is_enabled, is_enabled_at_source, origin, created_run_id, updated_run_id, created_role)
select p.row_id, %(district_id)s, %(issuer)s, s.source_id, s.sis_id, s.state_id, p.role, s.email, s.username,
  s.given_name, s.family_name,
  s.grade, coalesce(s.is_enabled, true), s.is_enabled, 'sync', %(run_id)s, %(run_id)s, p.role
from staging.plan p join staging.users s on s.run_id = %(run_id)s and s.n = p.n
where p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'add' and 'adds' = any (%(phases)s);

with done as (
  update portal.users t
  set issuer = %(issuer)s, source_id = w.source_id, sis_id = w.sis_id, state_id = w.state_id, email = w.email,
    username = w.username,
    given_name = w.given_name, family_name = w.family_name, grade = w.grade, is_enabled = w.is_enabled,
    is_enabled_at_source = w.is_enabled_at_source, is_shared = true, updated_at = now(), updated_run_id = %(run_id)s
  from staging.plan p
  join staging.user_values w on w.run_id = %(run_id)s and w.n = p.n
  where exists (select from sync.runs r cross join jsonb_each(r.plan -> 'counts') k
      -- speed: else the plan is not read
      where r.id = %(run_id)s and k.key in ('teachers', 'students', 'admins') and k.value ?| array['update', 'restore'])
    and p.run_id = %(run_id)s and p.entity = 'users' and p.action in ('update', 'restore')
      and p.phase = any (%(phases)s) and t.id = p.row_id
  returning p.action, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed, phase)
select %(run_id)s, 'users', jsonb_build_object('id', before -> 'id'), action, d.*, 'adds'
from done, sync.difference(before, after) d;

with done as (
  update portal.users t
  set is_shared = false, last_shared_at = now(), updated_at = now(), updated_run_id = %(run_id)s
  from staging.plan p
  where exists (select from sync.runs r cross join jsonb_each(r.plan -> 'counts') k
      -- speed: else the plan is not read
      where r.id = %(run_id)s and k.key in ('teachers', 'students', 'admins') and k.value ?| array['unshare'])
    and p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'unshare' and p.phase = any (%(phases)s)
      and t.id = p.row_id and t.is_shared
  returning to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed, phase)
select %(run_id)s, 'users', jsonb_build_object('id', before -> 'id'), 'unshare', d.*, 'removals'
from done, sync.difference(before, after) d;
