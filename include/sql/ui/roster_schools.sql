-- Schools in the order of their names, keyset by the id of the last one shown, with what each has.
-- Indexes: user_schools_school_idx, classes_school_idx, license_assignments_school_idx; counts only for the page.
select s.id, s.name, s.source_id, s.sis_id, s.is_shared, s.origin, c.is_selected, d.school_mode,
  n.people, k.classes, l.licenses, a.admins
from (
  select p.* from portal.schools p
  where p.district_id = %(district)s and (%(search)s = '' or strpos(lower(p.name), %(search)s) > 0
      or lower(p.sis_id) = %(search)s or lower(p.source_id) = %(search)s)
    and (%(after)s = 0 or (lower(p.name), p.id) > (
      select lower(b.name), b.id from portal.schools b where b.id = %(after)s and b.district_id = %(district)s))
  order by lower(p.name), p.id limit %(limit)s) s
left join sync.settings d on d.district_id = s.district_id
left join sync.school_selection c on c.district_id = s.district_id and c.source_id = s.source_id
left join lateral (select count(*) as people from portal.user_schools us
  where us.school_id = s.id and us.is_active) n on true
left join lateral (select count(*) as classes from portal.classes k where k.school_id = s.id and k.is_shared) k on true
left join lateral (select count(*) as licenses from portal.license_assignments l where l.school_id = s.id) l on true
left join lateral (
  select count(*) as admins from portal.users u join portal.user_schools us on us.user_id = u.id and us.school_id = s.id
  where u.district_id = %(district)s and portal.role_order(u.role) = portal.role_order('school_admin') and u.is_enabled
    and us.is_active) a on true
order by lower(s.name), s.id;
