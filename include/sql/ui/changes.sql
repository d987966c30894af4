-- Rows that a run changed in one way, with before and after, keyset by id. Index: changes_run.
-- A person's image holds the role that tells teachers, students and admins apart.
select c.id, c.table_name, c.key, c.action, c.before, c.after, c.changed, c.phase
from sync.changes c
where c.run_id = %(run)s and c.table_name = any(%(tables)s) and c.action = any(%(actions)s)
  and (%(roles)s::text[] is null or coalesce(c.after ->> 'role', c.before ->> 'role') = any(%(roles)s))
  and (%(pattern)s = '' or lower(concat_ws(' ', coalesce(c.after, c.before) ->> 'family_name',
    coalesce(c.after, c.before) ->> 'given_name', coalesce(c.after, c.before) ->> 'name',
    coalesce(c.after, c.before) ->> 'title', coalesce(c.after, c.before) ->> 'email',
    c.before ->> 'family_name', c.before ->> 'name', c.before ->> 'title')) like %(pattern)s)
  and c.id > %(after)s
order by c.id limit %(limit)s;
