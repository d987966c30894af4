-- One row of numbers per staged entity: all that the checks of the whole feed need to know.
-- In: run_id, role_words (known words, lower case, letters only). Reads only; one pass over each
-- staged table and one over the run's findings, which are capped: what can be counted in staging is counted there.
with found as (
  select entity,
    -- a record that could not even be read has no staged row, only an error without an id
    count(*) filter (where severity = 'error' and source_id is null and rule <> 'missing_id') as unreadable,
    count(*) filter (where severity = 'error') as errors,
    count(*) filter (where rule = 'missing_id') as without_id,
    count(*) filter (where rule = 'repeated_id') as repeated,
    count(*) filter (where rule = 'unknown_status') as unknown_status
  from sync.findings
  where run_id = %(run_id)s
  group by entity
),
placeless as (
  select count(*) filter (where not has_school) as people
  from (
    select u.n, bool_or(s.source_id is not null) as has_school
    from staging.users u
    cross join unnest(u.school_source_ids) o (id)
    left join staging.schools s on s.run_id = u.run_id and s.source_id = o.id
    where u.run_id = %(run_id)s and not u.is_rejected and u.status = 'active'
    group by u.n) p
),
staged as (
  select 'schools' as entity, 'orgs' as collection, count(*) as staged, count(*) filter (where is_rejected) as rejected,
    count(*) filter (where source_id is null) as without_id,
    null::bigint as with_role, null::bigint as without_role, null::bigint as unknown_role,
    null::bigint as active, null::bigint as dangling_schools, null::bigint as dangling_classes,
    null::bigint as dangling_users
  from staging.schools where run_id = %(run_id)s
  union all
  select 'users', 'users', count(*), count(*) filter (where is_rejected), count(*) filter (where source_id is null),
    count(*) filter (where not is_rejected and status = 'active' and source_roles <> '{}'),
    count(*) filter (where not is_rejected and status = 'active' and source_roles = '{}'),
    count(*) filter (where not is_rejected and status = 'active' and roles = '{}' and source_roles <> '{}'
      and not exists (
      select from unnest(source_roles) word
      where regexp_replace(lower(word), '[^a-z]', '', 'g') = any (%(role_words)s))),
    count(*) filter (where not is_rejected and status = 'active'), (select people from placeless), null, null
  from staging.users where run_id = %(run_id)s
  union all
  select 'classes', 'classes', count(*), count(*) filter (where is_rejected), count(*) filter (where source_id is null),
    null, null, null, null, null, null, null
  from staging.classes where run_id = %(run_id)s
  union all
  -- what is not unusual is active and points somewhere; a record that could not be read has no place in the feed
  select 'enrollments', 'enrollments', lines + unread, rejected, without_id, null, null, null,
    lines + unread - rejected - inactive, null, dangling_classes, dangling_users
  from (select count(distinct place) as lines from staging.enrollments where run_id = %(run_id)s) c
  cross join (
    select count(*) filter (where place is null) as unread, count(*) filter (where is_rejected) as rejected,
      count(*) filter (where staging.is_blank(class_source_id) or staging.is_blank(user_source_id)) as without_id,
      count(*) filter (where not is_rejected and not is_active) as inactive,
      count(*) filter (where class_n is null and not is_rejected and is_active) as dangling_classes,
      count(*) filter (where user_n is null and not is_rejected and is_active) as dangling_users
    from staging.unusual_enrollments where run_id = %(run_id)s) u
),
whole as (
  select r.feed -> 'collections' as collections, r.feed -> 'found' as found, r.feed -> 'repeated' as repeated,
    exists (select from jsonb_each(r.feed -> 'collections') c
      where c.value ->> 'is_complete' = 'true') as has_a_complete_one
  from sync.runs r where r.id = %(run_id)s
),
counted as (
  select s.entity,
    coalesce((w.collections -> s.collection ->> 'received')::bigint, 0) as received,
    -- a delta file may leave collections out: only a feed with a complete collection must hold the required ones
    (w.collections -> s.collection is not null)
      or not (w.has_a_complete_one or coalesce(w.collections, '{}') = '{}') as has_what_it_must,
    s.staged + u.unstaged as seen,
    s.rejected + u.unstaged as rejected,
    greatest(s.without_id, coalesce(f.without_id, 0)) as without_id,
    -- rows that repeat an id were united when they were staged, and people and classes counted then
    coalesce(greatest((w.repeated ->> s.entity)::bigint, f.repeated), 0) as repeated,
    coalesce((w.found -> 'unknown_status' ->> s.entity)::bigint, f.unknown_status, 0) as unknown_status,
    -- a delta file may bring people without their roles, which the portal knows
    s.with_role + case when c.is_complete then s.without_role else 0 end as judged_roles,
    s.unknown_role + case when c.is_complete then s.without_role else 0 end as unknown_role,
    s.active,
    case when (w.collections -> 'orgs' ->> 'is_complete')::boolean then s.dangling_schools end as dangling_schools,
    case when (w.collections -> 'classes' ->> 'is_complete')::boolean then s.dangling_classes end as dangling_classes,
    case when (w.collections -> 'users' ->> 'is_complete')::boolean then s.dangling_users end as dangling_users
  from staged s
  cross join whole w
  left join found f using (entity)
  cross join lateral (
    select coalesce((w.collections -> s.collection ->> 'is_complete')::boolean, false) as is_complete) c
  cross join lateral (select case s.entity
    -- an enrollment that could not be read is staged where its class or person is known: not counted twice
    when 'enrollments' then greatest(coalesce(f.errors, 0) - s.rejected, 0)
    else coalesce(f.unreadable, 0) end as unstaged) u
)
select *,
  100.0 * rejected / nullif(seen, 0) as percent_rejected,
  100.0 * without_id / nullif(seen, 0) as percent_without_id,
  100.0 * repeated / nullif(seen + repeated, 0) as percent_repeated,
  100.0 * unknown_status / nullif(seen, 0) as percent_unknown_status,
  100.0 * unknown_role / nullif(judged_roles, 0) as percent_unknown_role,
  100.0 * dangling_schools / nullif(active, 0) as percent_dangling_schools,
  100.0 * dangling_users / nullif(active, 0) as percent_dangling_users,
  100.0 * dangling_classes / nullif(active, 0) as percent_dangling_classes
from counted
order by array_position(array['schools', 'users', 'classes', 'enrollments'], entity);
