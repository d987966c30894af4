-- Of each row that the target changed, the columns that still hold the target's value go back to what they were
-- before; what people or later runs set since stays. Never a person's role. Several changes of one row fold into
-- one: the oldest before.
-- Each table's statement lists the columns that may go back (the database role may update no others); the rest is
-- the same: the row as it is, with what still holds the target's value overlaid by what was before, decided under
-- the row's lock.
-- In: sync.changes; run_id, target.
-- Out: portal.*, sync.changes.
create temporary table undo_changes on commit drop as
select c.table_name, c.key, (array_agg(c.before order by c.id desc)) as befores,
  (array_agg(c.after order by c.id desc)) as afters
from sync.changes c
where c.run_id = %(target)s and c.action in ('update', 'restore', 'unshare', 'end')
group by c.table_name, c.key;
create temporary table undo_patches on commit drop as
select u.table_name, u.key, k.column_name,
  (select b -> k.column_name from unnest(u.befores) with ordinality t (b, place)
    where b ? k.column_name order by place desc limit 1) as before,
  (select a -> k.column_name from unnest(u.afters) with ordinality t (a, place)
    where a ? k.column_name order by place limit 1) as after
from undo_changes u
cross join lateral (select distinct jsonb_object_keys(b) as column_name from unnest(u.befores) b) k
-- ids went back in undo/ids.sql
where k.column_name not in ('role', 'updated_at', 'updated_run_id', 'issuer', 'source_id');
-- a class cannot go back to a school that a later run deleted
delete from undo_patches p
where p.table_name = 'classes' and p.column_name = 'school_id'
  and not exists (select from portal.schools s where s.id = (p.before #>> '{}')::bigint);
analyze undo_patches;

create temporary table undo_rows_patched on commit drop as
select table_name, key, jsonb_object_agg(column_name, before) as befores, jsonb_object_agg(column_name, after) as afters
from undo_patches group by table_name, key;
analyze undo_rows_patched;

with done as (
  update portal.schools t
  set (sis_id, state_id, nces_id, name, origin, is_shared, last_shared_at) = (
      select r.sis_id, r.state_id, r.nces_id, r.name, r.origin, r.is_shared, r.last_shared_at
      from jsonb_populate_record(t, coalesce((
        select jsonb_object_agg(b.key, b.value) from jsonb_each(c.befores) b
        where to_jsonb(t) -> b.key = c.afters -> b.key), '{}')) r),
    updated_at = now(), updated_run_id = %(run_id)s
  from undo_rows_patched c
  where c.table_name = 'schools' and t.id = (c.key ->> 'id')::bigint
  returning c.key, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'schools', key, 'update', d.*
from done, sync.difference(before, after) d where d.changed <> '{}';

with done as (
  update portal.users t
  set (sis_id, state_id, email, username, given_name, family_name, grade, is_enabled, is_enabled_at_source, origin,
    is_shared, last_shared_at) = (
      select r.sis_id, r.state_id, r.email, r.username, r.given_name, r.family_name, r.grade, r.is_enabled,
        r.is_enabled_at_source, r.origin, r.is_shared, r.last_shared_at
      from jsonb_populate_record(t, coalesce((
        select jsonb_object_agg(b.key, b.value) from jsonb_each(c.befores) b
        where to_jsonb(t) -> b.key = c.afters -> b.key), '{}')) r),
    updated_at = now(), updated_run_id = %(run_id)s
  from undo_rows_patched c
  where c.table_name = 'users' and t.id = (c.key ->> 'id')::bigint
  returning c.key, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'users', key, 'update', d.*
from done, sync.difference(before, after) d where d.changed <> '{}';

with done as (
  update portal.classes t
  set (sis_id, school_id, title, subject, grade, period, term_name, starts_on, ends_on, origin, is_shared,
    last_shared_at) = (
      select r.sis_id, r.school_id, r.title, r.subject, r.grade, r.period, r.term_name, r.starts_on, r.ends_on,
        r.origin, r.is_shared, r.last_shared_at
      from jsonb_populate_record(t, coalesce((
        select jsonb_object_agg(b.key, b.value) from jsonb_each(c.befores) b
        where to_jsonb(t) -> b.key = c.afters -> b.key), '{}')) r),
    updated_at = now(), updated_run_id = %(run_id)s
  from undo_rows_patched c
  where c.table_name = 'classes' and t.id = (c.key ->> 'id')::bigint
  returning c.key, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'classes', key, 'update', d.*
from done, sync.difference(before, after) d where d.changed <> '{}';

with done as (
  update portal.user_schools t
  set (is_primary, is_active, ended_at, origin) = (
      select r.is_primary, r.is_active, r.ended_at, r.origin
      from jsonb_populate_record(t, coalesce((
        select jsonb_object_agg(b.key, b.value) from jsonb_each(c.befores) b
        where to_jsonb(t) -> b.key = c.afters -> b.key), '{}')) r),
    updated_run_id = %(run_id)s
  from undo_rows_patched c
  where c.table_name = 'user_schools' and t.user_id = (c.key ->> 'user_id')::bigint
    and t.school_id = (c.key ->> 'school_id')::bigint
  returning c.key, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'user_schools', key, 'update', d.*
from done, sync.difference(before, after) d where d.changed <> '{}';

with done as (
  update portal.enrollments t
  set (is_primary, is_active, begins_on, ends_on, ended_at, origin) = (
      select r.is_primary, r.is_active, r.begins_on, r.ends_on, r.ended_at, r.origin
      from jsonb_populate_record(t, coalesce((
        select jsonb_object_agg(b.key, b.value) from jsonb_each(c.befores) b
        where to_jsonb(t) -> b.key = c.afters -> b.key), '{}')) r),
    updated_run_id = %(run_id)s
  from undo_rows_patched c
  where c.table_name = 'enrollments' and t.class_id = (c.key ->> 'class_id')::bigint
    and t.user_id = (c.key ->> 'user_id')::bigint and t.role = c.key ->> 'role'
  returning c.key, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'enrollments', key, 'update', d.*
from done, sync.difference(before, after) d where d.changed <> '{}';

with done as (
  update portal.license_assignments t
  set (school_id, user_id) = (
      select r.school_id, r.user_id
      from jsonb_populate_record(t, coalesce((
        select jsonb_object_agg(b.key, b.value) from jsonb_each(c.befores) b
        where to_jsonb(t) -> b.key = c.afters -> b.key), '{}')) r)
  from undo_rows_patched c
  where c.table_name = 'license_assignments' and t.id = (c.key ->> 'id')::bigint
  returning c.key, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'license_assignments', key, 'update', d.*
from done, sync.difference(before, after) d where d.changed <> '{}';
