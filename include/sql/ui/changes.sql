-- Rows that a run changed in one way, with before and after, keyset by id. Index: changes_page.
-- An update keeps only what changed, a deletion the whole row: names come from the portal, else from the image.
select c.id, c.table_name, c.key, c.action, c.before, c.after, c.changed, c.phase, u.role,
  case when u.id is not null then concat_ws(', ', u.family_name, u.given_name)
    else coalesce(s.name, k.title) end as label,
  u.email
from sync.changes c
left join lateral ( -- each name looked up by itself: for a page of 500 the planner would read all people
  select p.id, p.role, p.family_name, p.given_name, p.email from portal.users p
  where c.table_name = 'users' and p.id = (c.key ->> 'id')::bigint limit 1) u on true
left join lateral (
  select p.name from portal.schools p where c.table_name = 'schools' and p.id = (c.key ->> 'id')::bigint
  limit 1) s on true
left join lateral (
  select p.title from portal.classes p where c.table_name = 'classes' and p.id = (c.key ->> 'id')::bigint
  limit 1) k on true
where c.run_id = %(run)s and c.table_name = any(%(tables)s) and c.action = any(%(actions)s)
  and (%(roles)s::text[] is null or coalesce(u.role, c.before ->> 'role', c.after ->> 'role') = any(%(roles)s))
  and c.id > %(after)s
order by c.id limit %(limit)s;
