-- Rows of one kind that a run's plan would change in one way (a preview, a hold), keyset by id; searched by name, email
-- or
-- id: the first that fit. Names come from the portal, of new rows from the feed. Action by action, so that each part is
-- one ordered range. Indexes: plan_<run>_page, plan_<run>_id, users_<run>_name, _email, _id (staging.index_run),
-- users_page_idx, users_email_idx, classes_page_idx.
with known as materialized ( -- what the searched text names in the portal
  select f.id as row_id from unnest(%(roles)s::text[]) as wanted (role)
  cross join unnest(%(families)s::text[], %(givens)s::text[]) as name (family, given) cross join lateral (
    select p.id from portal.users p
    where %(pattern)s <> '' and p.district_id = %(district)s
      and portal.role_order(p.role) = portal.role_order(wanted.role)
      and coalesce(lower(p.family_name), '') collate "C" >= name.family
      and coalesce(lower(p.family_name), '') collate "C" < name.family || %(last)s
      and (name.given = '' or (coalesce(lower(p.given_name), '') collate "C" >= name.given
                               and coalesce(lower(p.given_name), '') collate "C" < name.given || %(last)s))
    limit 300) f
  union
  select f.id from unnest(%(roles)s::text[]) as wanted (role) cross join lateral (
    select p.id from portal.users p
    where %(pattern)s <> '' and p.district_id = %(district)s
      and portal.role_order(p.role) = portal.role_order(wanted.role)
      and coalesce(lower(p.given_name), '') collate "C" >= %(exact)s
      and coalesce(lower(p.given_name), '') collate "C" < %(exact_end)s
    -- skips in users_page_idx
    order by coalesce(lower(p.family_name), '') collate "C", coalesce(lower(p.given_name), '') collate "C", p.id
    limit 300) f
  union
  (select p.id from portal.users p
   where %(pattern)s <> '' and p.district_id = %(district)s and p.email is not null
     and lower(btrim(p.email)) = %(exact)s
     and p.role = any(%(roles)s::text[]) limit 300)
  union
  (select k.id from portal.classes k
   where %(pattern)s <> '' and %(kind)s = 'classes' and k.district_id = %(district)s
     and coalesce(lower(k.title), '') collate "C" >= %(exact)s
     and coalesce(lower(k.title), '') collate "C" < %(exact_end)s limit 300)
  union
  (select s.id from portal.schools s
   where %(pattern)s <> '' and %(kind)s = 'schools' and s.district_id = %(district)s and lower(s.name) like %(pattern)s
   limit 300)
), staged as materialized ( -- and in the feed
  select n.source_id from unnest(%(families)s::text[], %(givens)s::text[]) as name (family, given) cross join lateral (
    select f.source_id from staging.users f
    where %(pattern)s <> '' and %(kind)s not in ('schools', 'classes') and f.run_id = %(run)s
      and lower(f.family_name) collate "C" >= name.family and lower(f.family_name) collate "C" < name.family || %(last)s
      and (name.given = '' or (lower(f.given_name) collate "C" >= name.given
                               and lower(f.given_name) collate "C" < name.given || %(last)s))
    limit 300) n
  union
  (select f.source_id from staging.users f
   where %(pattern)s <> '' and %(kind)s not in ('schools', 'classes') and f.run_id = %(run)s
     and (lower(f.email) = %(exact)s or f.source_id = %(as_typed)s) limit 300)
  union
  (select f.source_id from staging.classes f
   where %(pattern)s <> '' and %(kind)s = 'classes' and f.run_id = %(run)s and lower(f.title) like %(pattern)s
   limit 300)
  union
  (select f.source_id from staging.schools f
   where %(pattern)s <> '' and %(kind)s = 'schools' and f.run_id = %(run)s and lower(f.name) like %(pattern)s limit 300)
), chosen as materialized (
  select f.* from unnest(%(actions)s::text[]) as wanted (action) cross join lateral (
    select p.row_id, p.entity, p.action, p.source_id, p.changed, p.role, p.run_id from staging.plan p
    where %(pattern)s = '' and p.run_id = %(run)s
      and p.entity = case when %(kind)s in ('schools', 'classes') then %(kind)s else 'users' end
      and p.kind = %(kind)s and p.action = wanted.action and p.phase = any(%(phases)s) and p.row_id > %(after)s
    order by p.row_id limit %(limit)s) f
  union
  select p.row_id, p.entity, p.action, p.source_id, p.changed, p.role, p.run_id from staging.plan p
  where %(pattern)s <> '' and p.run_id = %(run)s
    and p.entity = case when %(kind)s in ('schools', 'classes') then %(kind)s else 'users' end
    and p.kind = %(kind)s and p.action = any(%(actions)s) and p.phase = any(%(phases)s)
    and p.row_id = any(array(select k.row_id from known k))
  union
  select p.row_id, p.entity, p.action, p.source_id, p.changed, p.role, p.run_id from staging.plan p
  where %(pattern)s <> '' and p.run_id = %(run)s
    and p.entity = case when %(kind)s in ('schools', 'classes') then %(kind)s else 'users' end
    and p.kind = %(kind)s and p.action = any(%(actions)s) and p.phase = any(%(phases)s)
    and p.source_id = any(array(select s.source_id from staged s))
)
select p.row_id as id, p.entity, p.action, p.source_id, p.changed,
  coalesce(nullif(concat_ws(', ', u.family_name, u.given_name), ''), s.name, c.title,
           nullif(concat_ws(', ', su.family_name, su.given_name), ''), ss.name, sc.title) as label,
  coalesce(u.email, su.email) as email, coalesce(u.role, p.role) as role,
  coalesce(s.id, c.id, u.id) is not null as is_known
from (select x.* from chosen x order by x.row_id limit %(limit)s) p
left join portal.users u on p.entity = 'users' and u.id = p.row_id
left join portal.schools s on p.entity = 'schools' and s.id = p.row_id
left join portal.classes c on p.entity = 'classes' and c.id = p.row_id
left join lateral (
  select f.family_name, f.given_name, f.email from staging.users f
  where p.entity = 'users' and u.id is null and f.run_id = %(run)s and f.source_id = p.source_id limit 1) su on true
left join staging.schools ss on p.entity = 'schools' and s.id is null and ss.run_id = %(run)s
  and ss.source_id = p.source_id
left join staging.classes sc on p.entity = 'classes' and c.id is null and sc.run_id = %(run)s
  and sc.source_id = p.source_id
order by p.row_id;
