-- Every school that the source ever listed, with the portal's own row where there is one. A few thousand at most.
select c.source_id, coalesce(s.name, c.name, c.source_id) as name, c.is_selected, c.first_seen_at, s.id as school_id,
  s.is_shared, s.id is null and c.first_seen_at > now() - interval '30 days' as is_new
from sync.school_selection c
left join lateral (
  select p.id, p.name, p.is_shared from portal.schools p
  where p.district_id = c.district_id and p.source_id = c.source_id order by p.is_shared desc, p.id desc
  limit 1) s on true
where c.district_id = %(district)s
order by lower(coalesce(s.name, c.name, c.source_id)), c.source_id;
