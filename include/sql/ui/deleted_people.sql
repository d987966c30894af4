-- People whom a run deleted and whom no later run restored, by name: the before-images of the last Resets.
select c.run_id, c.before ->> 'family_name' as family_name, c.before ->> 'given_name' as given_name,
  c.before ->> 'role' as role,
  r.started_at
from (select r.id, r.started_at from sync.runs r
  where r.district_id = %(district)s and r.mode = 'reset' and r.wrote_at is not null
        and r.status <> 'undone' order by r.id desc limit 5) r
join sync.changes c on c.run_id = r.id and c.table_name = 'users' and c.action = 'delete'
where (lower(c.before ->> 'email') = %(exact)s or c.before ->> 'source_id' = %(as_typed)s
    or exists (select from unnest(%(families)s::text[], %(givens)s::text[]) as name (family, given)
               where starts_with(lower(c.before ->> 'family_name'), name.family)
                 and (name.given = '' or starts_with(lower(c.before ->> 'given_name'), name.given))))
  and not exists (select from portal.users u where u.id = (c.key ->> 'id')::bigint)
limit 20;
