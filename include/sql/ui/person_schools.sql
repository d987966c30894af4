-- The schools of one person, and whether each is synced.
select s.id, s.name, s.is_shared, us.is_active, us.is_primary, us.ended_at, us.origin,
  coalesce(t.school_mode, 'all') = 'all' or coalesce(c.is_selected, false) or s.origin = 'manual' as is_selected
from portal.user_schools us
join portal.schools s on s.id = us.school_id
left join sync.settings t on t.district_id = s.district_id
left join sync.school_selection c on c.district_id = s.district_id and c.source_id = s.source_id
where us.user_id = %(id)s and s.district_id = %(district)s order by us.is_active desc, lower(s.name);
