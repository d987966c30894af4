-- One row of numbers per staged entity: all that the checks of the whole feed need to know.
-- In: run_id, role_words, enrollment_words (known words, lower case, letters only). Reads only; one pass over each
-- staged table and one over the run's findings. 480,000 enrolments: see tests/checks.
-- A row that could not be staged at all has an error finding only, so "rejected" is the larger of the two counts.
with found as (
  select
    case entity
      when 'orgs' then 'schools'
      when 'roles' then 'users' when 'teachers' then 'users' when 'students' then 'users' when 'admins' then 'users'
      else entity
    end as entity,
    count(distinct coalesce(source_id, 'line ' || line, 'finding ' || id)) filter (where severity = 'error') as rejected,
    count(*) filter (where severity = 'error' and rule ~ '(no|missing|without|empty)_(source_)?id') as without_id,
    count(*) filter (where rule ~ '(repeated|duplicate)') as repeated,
    count(*) filter (where rule ~ 'status') as unknown_status,
    count(*) filter (where rule ~ '^dangling.*(school|org)') as dangling_schools,
    count(*) filter (where rule ~ '^dangling.*(user|person|student|teacher)') as dangling_users,
    count(*) filter (where rule ~ '^dangling.*class') as dangling_classes
  from sync.findings
  where run_id = %(run_id)s
  group by 1
),
staged as (
  select 'schools' as entity, 'orgs' as collection, count(*) as staged, count(*) filter (where is_rejected) as rejected,
    count(*) filter (where source_id is null) as without_id,
    count(source_id) - count(distinct source_id) as repeated,
    count(*) filter (where not is_rejected and status not in ('active', 'tobedeleted', 'inactive')) as unknown_status,
    null::bigint as judged_roles, null::bigint as unknown_role
  from staging.schools where run_id = %(run_id)s
  union all
  select 'users', 'users', count(*), count(*) filter (where is_rejected),
    count(*) filter (where source_id is null),
    count(source_id) - count(distinct source_id),
    count(*) filter (where not is_rejected and status not in ('active', 'tobedeleted', 'inactive')),
    count(*) filter (where not is_rejected and status = 'active'),
    count(*) filter (where not is_rejected and status = 'active' and roles = '{}' and not exists (
      select from unnest(source_roles) word
      where regexp_replace(lower(word), '[^a-z]', '', 'g') = any(%(role_words)s)))
  from staging.users where run_id = %(run_id)s
  union all
  select 'classes', 'classes', count(*), count(*) filter (where is_rejected),
    count(*) filter (where source_id is null),
    count(source_id) - count(distinct source_id),
    count(*) filter (where not is_rejected and status not in ('active', 'tobedeleted', 'inactive')),
    null, null
  from staging.classes where run_id = %(run_id)s
  union all
  select 'enrollments', 'enrollments', count(*), count(*) filter (where is_rejected),
    count(*) filter (where class_source_id is null or user_source_id is null),
    0, 0, -- repeated enrolments are folded when they are staged; only their findings tell
    count(*) filter (where not is_rejected),
    count(*) filter (where not is_rejected and (role is null
      or role not in ('teacher', 'student')
      and regexp_replace(lower(role), '[^a-z]', '', 'g') <> all(%(enrollment_words)s)))
  from staging.enrollments where run_id = %(run_id)s
),
counted as (
  select s.entity, r.feed -> s.collection is not null as is_shared,
    coalesce((r.feed -> s.collection ->> 'received')::bigint, 0) as received,
    coalesce((r.feed -> s.collection ->> 'is_complete')::boolean, false) as is_complete,
    -- a delta file may leave collections out: only a feed with a complete collection must hold the required ones
    exists (select from jsonb_each(r.feed) c where c.value ->> 'is_complete' = 'true') or r.feed = '{}' as is_bulk,
    s.staged - s.rejected + greatest(s.rejected, coalesce(f.rejected, 0)) as seen,
    greatest(s.rejected, coalesce(f.rejected, 0)) as rejected,
    greatest(s.without_id, coalesce(f.without_id, 0)) as without_id,
    greatest(s.repeated, coalesce(f.repeated, 0)) as repeated,
    greatest(s.unknown_status, coalesce(f.unknown_status, 0)) as unknown_status,
    s.judged_roles, s.unknown_role,
    coalesce(f.dangling_schools, 0) as dangling_schools,
    coalesce(f.dangling_users, 0) as dangling_users,
    coalesce(f.dangling_classes, 0) as dangling_classes
  from staged s
  join sync.runs r on r.id = %(run_id)s
  left join found f using (entity)
)
select *,
  is_shared or not is_bulk as has_what_it_must,
  100.0 * rejected / nullif(seen, 0) as percent_rejected,
  100.0 * without_id / nullif(seen, 0) as percent_without_id,
  100.0 * repeated / nullif(seen, 0) as percent_repeated,
  100.0 * unknown_status / nullif(seen, 0) as percent_unknown_status,
  100.0 * unknown_role / nullif(judged_roles, 0) as percent_unknown_role,
  least(100.0, 100.0 * dangling_schools / nullif(seen, 0)) as percent_dangling_schools,
  least(100.0, 100.0 * dangling_users / nullif(seen, 0)) as percent_dangling_users,
  least(100.0, 100.0 * dangling_classes / nullif(seen, 0)) as percent_dangling_classes
from counted
order by array_position(array['schools', 'users', 'classes', 'enrollments'], entity);
