-- People of one role in the order of their names, keyset by the id of the last one shown (no name in an address).
-- Index: users_page_idx. The order is that of the bytes of the lower-case names, so that one index serves all.
select u.id, u.family_name, u.given_name, u.email, u.grade, u.role, u.is_shared, u.is_enabled, u.origin, u.is_dummy,
  sc.schools, li.licenses
from (
  select p.* from portal.users p
  where p.district_id = %(district)s and portal.role_order(p.role) = portal.role_order(%(role)s)
    and (%(after)s = 0 or (coalesce(lower(p.family_name), '') collate "C",
      coalesce(lower(p.given_name), '') collate "C", p.id) > (
      select coalesce(lower(a.family_name), '') collate "C", coalesce(lower(a.given_name), '') collate "C", a.id
      from portal.users a where a.id = %(after)s and a.district_id = %(district)s))
  order by coalesce(lower(p.family_name), '') collate "C", coalesce(lower(p.given_name), '') collate "C", p.id
  limit %(limit)s) u
left join lateral (
  select string_agg(s.name, ', ' order by s.name) as schools from portal.user_schools us
  join portal.schools s on s.id = us.school_id where us.user_id = u.id and us.is_active) sc on true
left join lateral (
  select count(*) as licenses from portal.license_assignments l
  where l.user_id = u.id and (l.expires_on is null or l.expires_on >= current_date)) li on true
order by coalesce(lower(u.family_name), '') collate "C", coalesce(lower(u.given_name), '') collate "C", u.id;
