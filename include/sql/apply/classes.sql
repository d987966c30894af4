-- Adds, updates, moves and restores classes as planned.
-- In: staging.plan, staging.classes, staging.class_values; phases.
-- Out: portal.classes, sync.changes.
insert into portal.classes (id, district_id, issuer, source_id, sis_id, school_id, title, subject, grade, period,
  term_name,
  starts_on, ends_on, origin, created_run_id, updated_run_id)
select p.row_id, %(district_id)s, %(issuer)s, s.source_id, s.sis_id, p.school_id, coalesce(s.title, s.source_id),
  s.subject, s.grade, s.period, s.term_name,
  s.starts_on, s.ends_on, 'sync', %(run_id)s, %(run_id)s
from staging.plan p join staging.classes s on s.run_id = %(run_id)s and s.n = p.n
where p.run_id = %(run_id)s and p.entity = 'classes' and p.action = 'add' and 'adds' = any (%(phases)s)
order by p.row_id;

with done as (
  update portal.classes t
  set issuer = %(issuer)s, source_id = w.source_id, school_id = p.school_id, sis_id = w.sis_id,
    title = coalesce(w.title, t.title), subject = w.subject,
    grade = w.grade, period = w.period, term_name = w.term_name, starts_on = w.starts_on, ends_on = w.ends_on,
    is_shared = true, updated_at = now(), updated_run_id = %(run_id)s
  from staging.plan p
  join staging.class_values w on w.run_id = %(run_id)s and w.n = p.n
  where exists (select from sync.runs r cross join jsonb_each(r.plan -> 'counts') k
      -- speed: else the plan is not read
      where r.id = %(run_id)s and k.key = 'classes' and k.value ?| array['update', 'restore'])
    and p.run_id = %(run_id)s and p.entity = 'classes' and p.action in ('update', 'restore')
      and p.phase = any (%(phases)s) and t.id = p.row_id
  returning p.action, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed, phase)
select %(run_id)s, 'classes', jsonb_build_object('id', before -> 'id'), action, d.*, 'adds'
from done, sync.difference(before, after) d;

with done as (
  update portal.classes t
  set is_shared = false, last_shared_at = now(), updated_at = now(), updated_run_id = %(run_id)s
  from staging.plan p
  where exists (select from sync.runs r cross join jsonb_each(r.plan -> 'counts') k
      where r.id = %(run_id)s and k.key = 'classes' and k.value ?| array['unshare']) -- speed: else the plan is not read
    and p.run_id = %(run_id)s and p.entity = 'classes' and p.action = 'unshare' and p.phase = any (%(phases)s)
      and t.id = p.row_id and t.is_shared
  returning to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed, phase)
select %(run_id)s, 'classes', jsonb_build_object('id', before -> 'id'), 'unshare', d.*, 'removals'
from done, sync.difference(before, after) d;
