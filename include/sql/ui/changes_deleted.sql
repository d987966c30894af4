-- Rows that a run deleted and whose image holds the searched text. Index: changes_page; only the deletions are read.
select c.id, c.table_name, c.key, c.action, c.before, c.after, c.changed, c.phase, c.before ->> 'role' as role,
  null as label, c.before ->> 'email' as email
from sync.changes c
where c.run_id = %(run)s and c.table_name = any(%(tables)s) and c.action = 'delete'
  and (%(roles)s::text[] is null or c.before ->> 'role' = any(%(roles)s))
  and lower(concat_ws(' ', c.before ->> 'family_name', c.before ->> 'given_name', c.before ->> 'name',
                      c.before ->> 'title', c.before ->> 'email')) like %(pattern)s
order by c.id limit %(limit)s;
