-- People by what a caller says of them: the beginning of a name or two, an email, an id. The first few, by name.
-- families, givens: every way in which the words can be a family and a given name, lower case, each the beginning of
-- one;
-- exact: the whole text, lower case.
-- Role by role, so that each look-up is one ordered range of its index. A given name alone is found by skipping in
-- users_page_idx past the family names, a SIS id by reading it through (0.07 s each in 950,000 people, PostgreSQL
-- 18.4). Indexes: users_page_idx, users_email_idx, and those of sync.source_ids (a skip over the issuers).
with named as materialized (
  select f.id from unnest(%(roles)s::text[]) as wanted (role)
  cross join unnest(%(families)s::text[], %(givens)s::text[]) as name (family, given) cross join lateral (
    select p.id from portal.users p
    where p.district_id = %(district)s and portal.role_order(p.role) = portal.role_order(wanted.role)
      and coalesce(lower(p.family_name), '') collate "C" >= name.family
      and coalesce(lower(p.family_name), '') collate "C" < name.family || %(last)s
      and (name.given = '' or (coalesce(lower(p.given_name), '') collate "C" >= name.given
                               and coalesce(lower(p.given_name), '') collate "C" < name.given || %(last)s))
    order by coalesce(lower(p.family_name), '') collate "C", coalesce(lower(p.given_name), '') collate "C", p.id
    limit %(limit)s) f
  union
  select f.id from unnest(%(roles)s::text[]) as wanted (role) cross join lateral (
    select p.id from portal.users p
    where p.district_id = %(district)s and portal.role_order(p.role) = portal.role_order(wanted.role)
      and %(exact)s <> '' and position('@' in %(exact)s) = 0
      and coalesce(lower(p.given_name), '') collate "C" >= %(exact)s
      and coalesce(lower(p.given_name), '') collate "C" < %(exact_end)s
    order by coalesce(lower(p.family_name), '') collate "C", coalesce(lower(p.given_name), '') collate "C", p.id
    limit %(limit)s) f
  union
  (select p.id from portal.users p
   where p.district_id = %(district)s and p.email is not null and lower(btrim(p.email)) = %(exact)s
     and p.role = any(%(roles)s) limit %(limit)s)
  union
  (select p.id from sync.source_ids i join portal.users p on p.id = i.row_id
   where i.district_id = %(district)s and i.entity = 'users' and i.source_id = %(as_typed)s
     and p.district_id = %(district)s and p.role = any(%(roles)s))
), found as (
  select n.id from named n
  union
  select f.id from unnest(%(roles)s::text[]) as wanted (role) cross join lateral (
    select p.id from portal.users p
    where p.district_id = %(district)s and portal.role_order(p.role) = portal.role_order(wanted.role)
      and left(lower(p.sis_id), 100) = left(%(exact)s, 100) and lower(p.sis_id) = %(exact)s -- the first by the index
      and (%(exact)s ~ '[0-9]' or not exists (select from named)) -- few SIS ids could be names
    limit %(limit)s) f
)
select u.id, u.family_name, u.given_name, u.email, u.grade, u.role, u.is_shared, u.is_enabled, u.origin, u.is_dummy,
  sc.schools, li.licenses
from (select p.* from portal.users p where p.id in (select f.id from found f)
      order by coalesce(lower(p.family_name), '') collate "C", coalesce(lower(p.given_name), '') collate "C", p.id
      limit %(limit)s) u
left join lateral (
  select string_agg(s.name, ', ' order by s.name) as schools from portal.user_schools us
  join portal.schools s on s.id = us.school_id where us.user_id = u.id and us.is_active) sc on true
left join lateral (
  select count(*) as licenses from portal.license_assignments l
  where l.user_id = u.id and (l.expires_on is null or l.expires_on >= current_date)) li on true
order by coalesce(lower(u.family_name), '') collate "C", coalesce(lower(u.given_name), '') collate "C", u.id;
