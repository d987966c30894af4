-- Names for the ids on one page whose rows a run deleted (any run, where none is named): from its before-images.
-- Index: changes_key, once per id (`offset 0` keeps the planner from joining the run's 900,000 rows instead).
select wanted.kind, wanted.id,
  coalesce(nullif(concat_ws(', ', c.before ->> 'family_name', c.before ->> 'given_name'), ''), c.before ->> 'name',
    c.before ->> 'title') as label
from (
  select 'user' as kind, 'users' as table_name, unnest(%(users)s::bigint[]) as id
  union all select 'class', 'classes', unnest(%(classes)s::bigint[])
  union all select 'school', 'schools', unnest(%(schools)s::bigint[])) wanted
cross join lateral (
  select x.before from sync.changes x
  where x.table_name = wanted.table_name and (x.key ->> 'id')::bigint = wanted.id and x.key ? 'id'
    and (%(run)s::bigint is null or x.run_id = %(run)s) and x.action = 'delete' offset 0) c;
