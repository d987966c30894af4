-- Adds, updates and restores schools as planned; a before-image of each changed row. Same rows again: no change.
-- In: staging.plan, staging.schools, staging.school_values; phases.
-- Out: portal.schools, sync.changes.
insert into portal.schools (id, district_id, issuer, source_id, sis_id, state_id, nces_id, name, origin, created_run_id,
  updated_run_id)
select p.row_id, %(district_id)s, %(issuer)s, s.source_id, s.sis_id, s.state_id, s.nces_id,
  coalesce(s.name, s.source_id), 'sync', %(run_id)s, %(run_id)s
from staging.plan p
join staging.schools s on s.run_id = %(run_id)s and s.source_id = p.source_id and s.status = 'active'
  and not s.is_rejected
where p.run_id = %(run_id)s and p.entity = 'schools' and p.action = 'add' and 'adds' = any (%(phases)s);

with done as (
  update portal.schools t
  set issuer = %(issuer)s, source_id = w.source_id, name = coalesce(w.name, t.name), sis_id = w.sis_id,
    state_id = w.state_id, nces_id = w.nces_id,
    is_shared = true, updated_at = now(), updated_run_id = %(run_id)s
  from staging.plan p
  join staging.school_values w on w.run_id = %(run_id)s and w.row_id = p.row_id and w.source_id = p.source_id
    and not w.is_rejected
  where p.run_id = %(run_id)s and p.entity = 'schools' and p.action in ('update', 'restore')
    and p.phase = any (%(phases)s) and t.id = p.row_id
  returning p.action, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed, phase)
select %(run_id)s, 'schools', jsonb_build_object('id', before -> 'id'), action, d.*, 'adds'
from done, sync.difference(before, after) d;

with done as (
  update portal.schools t
  set is_shared = false, last_shared_at = now(), updated_at = now(), updated_run_id = %(run_id)s
  from staging.plan p
  where p.run_id = %(run_id)s and p.entity = 'schools' and p.action = 'unshare' and p.phase = any (%(phases)s)
    and t.id = p.row_id and t.is_shared
  returning to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed, phase)
select %(run_id)s, 'schools', jsonb_build_object('id', before -> 'id'), 'unshare', d.*, 'removals'
from done, sync.difference(before, after) d;
