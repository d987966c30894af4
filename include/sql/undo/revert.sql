-- Of each row that the target changed, the columns that still hold the target's value go back to what they were before; what
-- people or later runs set since stays. Never a person's role. Several changes of one row fold into one: the oldest before.
create temporary table undo_changes on commit drop as
select c.table_name, c.key, (array_agg(c.before order by c.id desc)) as befores, (array_agg(c.after order by c.id desc)) as afters
from sync.changes c
where c.run_id = %(target)s and c.action in ('update', 'restore', 'unshare', 'end')
group by c.table_name, c.key;
create temporary table undo_patches on commit drop as
select u.table_name, u.key, k.column_name,
  (select b -> k.column_name from unnest(u.befores) with ordinality t (b, place) where b ? k.column_name order by place desc limit 1) as before,
  (select a -> k.column_name from unnest(u.afters) with ordinality t (a, place) where a ? k.column_name order by place limit 1) as after
from undo_changes u
cross join lateral (select distinct jsonb_object_keys(b) as column_name from unnest(u.befores) b) k
where k.column_name not in ('role', 'updated_at', 'updated_run_id', 'issuer', 'source_id'); -- ids went back in undo/ids.sql
-- a class cannot go back to a school that a later run deleted
delete from undo_patches p
where p.table_name = 'classes' and p.column_name = 'school_id'
  and not exists (select from portal.schools s where s.id = (p.before #>> '{}')::bigint);
analyze undo_patches;

with patch as (
  select p.key, jsonb_object_agg(p.column_name, p.before) as patch, jsonb_object_agg(p.column_name, p.after) as afters
  from undo_patches p where p.table_name = 'schools' group by p.key
), c as (
  select patch.*, jsonb_populate_record(null::portal.schools, patch.patch) as row_before from patch
), done as (
  update portal.schools t
  set sis_id = (case when c.patch ? 'sis_id' and to_jsonb(t.sis_id) is not distinct from nullif(c.afters -> 'sis_id', 'null') then c.row_before else t end).sis_id,
    state_id = (case when c.patch ? 'state_id' and to_jsonb(t.state_id) is not distinct from nullif(c.afters -> 'state_id', 'null') then c.row_before else t end).state_id,
    nces_id = (case when c.patch ? 'nces_id' and to_jsonb(t.nces_id) is not distinct from nullif(c.afters -> 'nces_id', 'null') then c.row_before else t end).nces_id,
    name = (case when c.patch ? 'name' and to_jsonb(t.name) is not distinct from nullif(c.afters -> 'name', 'null') then c.row_before else t end).name,
    origin = (case when c.patch ? 'origin' and to_jsonb(t.origin) is not distinct from nullif(c.afters -> 'origin', 'null') then c.row_before else t end).origin,
    is_shared = (case when c.patch ? 'is_shared' and to_jsonb(t.is_shared) is not distinct from nullif(c.afters -> 'is_shared', 'null') then c.row_before else t end).is_shared,
    last_shared_at = (case when c.patch ? 'last_shared_at' and to_jsonb(t.last_shared_at) is not distinct from nullif(c.afters -> 'last_shared_at', 'null') then c.row_before else t end).last_shared_at, updated_at = now(), updated_run_id = %(run_id)s
  from c where t.id = (c.key ->> 'id')::bigint
  returning c.key, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'schools', key, 'update', sync.changed_part(before, after), sync.changed_part(after, before), sync.changed_keys(after, before)
from done where sync.changed_keys(after, before) <> '{}';

with patch as (
  select p.key, jsonb_object_agg(p.column_name, p.before) as patch, jsonb_object_agg(p.column_name, p.after) as afters
  from undo_patches p where p.table_name = 'users' group by p.key
), c as (
  select patch.*, jsonb_populate_record(null::portal.users, patch.patch) as row_before from patch
), done as (
  update portal.users t
  set sis_id = (case when c.patch ? 'sis_id' and to_jsonb(t.sis_id) is not distinct from nullif(c.afters -> 'sis_id', 'null') then c.row_before else t end).sis_id,
    state_id = (case when c.patch ? 'state_id' and to_jsonb(t.state_id) is not distinct from nullif(c.afters -> 'state_id', 'null') then c.row_before else t end).state_id,
    email = (case when c.patch ? 'email' and to_jsonb(t.email) is not distinct from nullif(c.afters -> 'email', 'null') then c.row_before else t end).email,
    username = (case when c.patch ? 'username' and to_jsonb(t.username) is not distinct from nullif(c.afters -> 'username', 'null') then c.row_before else t end).username,
    given_name = (case when c.patch ? 'given_name' and to_jsonb(t.given_name) is not distinct from nullif(c.afters -> 'given_name', 'null') then c.row_before else t end).given_name,
    family_name = (case when c.patch ? 'family_name' and to_jsonb(t.family_name) is not distinct from nullif(c.afters -> 'family_name', 'null') then c.row_before else t end).family_name,
    grade = (case when c.patch ? 'grade' and to_jsonb(t.grade) is not distinct from nullif(c.afters -> 'grade', 'null') then c.row_before else t end).grade,
    is_enabled = (case when c.patch ? 'is_enabled' and to_jsonb(t.is_enabled) is not distinct from nullif(c.afters -> 'is_enabled', 'null') then c.row_before else t end).is_enabled,
    is_enabled_at_source = (case when c.patch ? 'is_enabled_at_source' and to_jsonb(t.is_enabled_at_source) is not distinct from nullif(c.afters -> 'is_enabled_at_source', 'null') then c.row_before else t end).is_enabled_at_source,
    origin = (case when c.patch ? 'origin' and to_jsonb(t.origin) is not distinct from nullif(c.afters -> 'origin', 'null') then c.row_before else t end).origin,
    is_shared = (case when c.patch ? 'is_shared' and to_jsonb(t.is_shared) is not distinct from nullif(c.afters -> 'is_shared', 'null') then c.row_before else t end).is_shared,
    last_shared_at = (case when c.patch ? 'last_shared_at' and to_jsonb(t.last_shared_at) is not distinct from nullif(c.afters -> 'last_shared_at', 'null') then c.row_before else t end).last_shared_at, updated_at = now(), updated_run_id = %(run_id)s
  from c where t.id = (c.key ->> 'id')::bigint
  returning c.key, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'users', key, 'update', sync.changed_part(before, after), sync.changed_part(after, before), sync.changed_keys(after, before)
from done where sync.changed_keys(after, before) <> '{}';

with patch as (
  select p.key, jsonb_object_agg(p.column_name, p.before) as patch, jsonb_object_agg(p.column_name, p.after) as afters
  from undo_patches p where p.table_name = 'classes' group by p.key
), c as (
  select patch.*, jsonb_populate_record(null::portal.classes, patch.patch) as row_before from patch
), done as (
  update portal.classes t
  set sis_id = (case when c.patch ? 'sis_id' and to_jsonb(t.sis_id) is not distinct from nullif(c.afters -> 'sis_id', 'null') then c.row_before else t end).sis_id,
    school_id = (case when c.patch ? 'school_id' and to_jsonb(t.school_id) is not distinct from nullif(c.afters -> 'school_id', 'null') then c.row_before else t end).school_id,
    title = (case when c.patch ? 'title' and to_jsonb(t.title) is not distinct from nullif(c.afters -> 'title', 'null') then c.row_before else t end).title,
    subject = (case when c.patch ? 'subject' and to_jsonb(t.subject) is not distinct from nullif(c.afters -> 'subject', 'null') then c.row_before else t end).subject,
    grade = (case when c.patch ? 'grade' and to_jsonb(t.grade) is not distinct from nullif(c.afters -> 'grade', 'null') then c.row_before else t end).grade,
    period = (case when c.patch ? 'period' and to_jsonb(t.period) is not distinct from nullif(c.afters -> 'period', 'null') then c.row_before else t end).period,
    term_name = (case when c.patch ? 'term_name' and to_jsonb(t.term_name) is not distinct from nullif(c.afters -> 'term_name', 'null') then c.row_before else t end).term_name,
    starts_on = (case when c.patch ? 'starts_on' and to_jsonb(t.starts_on) is not distinct from nullif(c.afters -> 'starts_on', 'null') then c.row_before else t end).starts_on,
    ends_on = (case when c.patch ? 'ends_on' and to_jsonb(t.ends_on) is not distinct from nullif(c.afters -> 'ends_on', 'null') then c.row_before else t end).ends_on,
    origin = (case when c.patch ? 'origin' and to_jsonb(t.origin) is not distinct from nullif(c.afters -> 'origin', 'null') then c.row_before else t end).origin,
    is_shared = (case when c.patch ? 'is_shared' and to_jsonb(t.is_shared) is not distinct from nullif(c.afters -> 'is_shared', 'null') then c.row_before else t end).is_shared,
    last_shared_at = (case when c.patch ? 'last_shared_at' and to_jsonb(t.last_shared_at) is not distinct from nullif(c.afters -> 'last_shared_at', 'null') then c.row_before else t end).last_shared_at, updated_at = now(), updated_run_id = %(run_id)s
  from c where t.id = (c.key ->> 'id')::bigint
  returning c.key, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'classes', key, 'update', sync.changed_part(before, after), sync.changed_part(after, before), sync.changed_keys(after, before)
from done where sync.changed_keys(after, before) <> '{}';

with patch as (
  select p.key, jsonb_object_agg(p.column_name, p.before) as patch, jsonb_object_agg(p.column_name, p.after) as afters
  from undo_patches p where p.table_name = 'user_schools' group by p.key
), c as (
  select patch.*, jsonb_populate_record(null::portal.user_schools, patch.patch) as row_before from patch
), done as (
  update portal.user_schools t
  set is_primary = (case when c.patch ? 'is_primary' and to_jsonb(t.is_primary) is not distinct from nullif(c.afters -> 'is_primary', 'null') then c.row_before else t end).is_primary,
    is_active = (case when c.patch ? 'is_active' and to_jsonb(t.is_active) is not distinct from nullif(c.afters -> 'is_active', 'null') then c.row_before else t end).is_active,
    ended_at = (case when c.patch ? 'ended_at' and to_jsonb(t.ended_at) is not distinct from nullif(c.afters -> 'ended_at', 'null') then c.row_before else t end).ended_at,
    origin = (case when c.patch ? 'origin' and to_jsonb(t.origin) is not distinct from nullif(c.afters -> 'origin', 'null') then c.row_before else t end).origin, updated_run_id = %(run_id)s
  from c where t.user_id = (c.key ->> 'user_id')::bigint and t.school_id = (c.key ->> 'school_id')::bigint
  returning c.key, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'user_schools', key, 'update', sync.changed_part(before, after), sync.changed_part(after, before), sync.changed_keys(after, before)
from done where sync.changed_keys(after, before) <> '{}';

with patch as (
  select p.key, jsonb_object_agg(p.column_name, p.before) as patch, jsonb_object_agg(p.column_name, p.after) as afters
  from undo_patches p where p.table_name = 'enrollments' group by p.key
), c as (
  select patch.*, jsonb_populate_record(null::portal.enrollments, patch.patch) as row_before from patch
), done as (
  update portal.enrollments t
  set is_primary = (case when c.patch ? 'is_primary' and to_jsonb(t.is_primary) is not distinct from nullif(c.afters -> 'is_primary', 'null') then c.row_before else t end).is_primary,
    is_active = (case when c.patch ? 'is_active' and to_jsonb(t.is_active) is not distinct from nullif(c.afters -> 'is_active', 'null') then c.row_before else t end).is_active,
    begins_on = (case when c.patch ? 'begins_on' and to_jsonb(t.begins_on) is not distinct from nullif(c.afters -> 'begins_on', 'null') then c.row_before else t end).begins_on,
    ends_on = (case when c.patch ? 'ends_on' and to_jsonb(t.ends_on) is not distinct from nullif(c.afters -> 'ends_on', 'null') then c.row_before else t end).ends_on,
    ended_at = (case when c.patch ? 'ended_at' and to_jsonb(t.ended_at) is not distinct from nullif(c.afters -> 'ended_at', 'null') then c.row_before else t end).ended_at,
    origin = (case when c.patch ? 'origin' and to_jsonb(t.origin) is not distinct from nullif(c.afters -> 'origin', 'null') then c.row_before else t end).origin, updated_run_id = %(run_id)s
  from c where t.class_id = (c.key ->> 'class_id')::bigint and t.user_id = (c.key ->> 'user_id')::bigint and t.role = c.key ->> 'role'
  returning c.key, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'enrollments', key, 'update', sync.changed_part(before, after), sync.changed_part(after, before), sync.changed_keys(after, before)
from done where sync.changed_keys(after, before) <> '{}';

with patch as (
  select p.key, jsonb_object_agg(p.column_name, p.before) as patch, jsonb_object_agg(p.column_name, p.after) as afters
  from undo_patches p where p.table_name = 'license_assignments' group by p.key
), c as (
  select patch.*, jsonb_populate_record(null::portal.license_assignments, patch.patch) as row_before from patch
), done as (
  update portal.license_assignments t
  set school_id = (case when c.patch ? 'school_id' and to_jsonb(t.school_id) is not distinct from nullif(c.afters -> 'school_id', 'null') then c.row_before else t end).school_id,
    user_id = (case when c.patch ? 'user_id' and to_jsonb(t.user_id) is not distinct from nullif(c.afters -> 'user_id', 'null') then c.row_before else t end).user_id
  from c where t.id = (c.key ->> 'id')::bigint
  returning c.key, to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'license_assignments', key, 'update', sync.changed_part(before, after), sync.changed_part(after, before), sync.changed_keys(after, before)
from done where sync.changed_keys(after, before) <> '{}';
