-- One school of a district, with its settings and who manages it.
select s.*,
  coalesce(t.school_mode, 'all') = 'all' or coalesce(c.is_selected, false) or s.origin = 'manual' as is_selected,
  made.started_at as made_at,
  (select count(*) from portal.user_schools us where us.school_id = s.id and us.is_active) as people,
  (select count(*) from portal.classes k where k.school_id = s.id and k.is_shared) as classes
from portal.schools s
left join sync.settings t on t.district_id = s.district_id
left join sync.school_selection c on c.district_id = s.district_id and c.source_id = s.source_id
left join sync.runs made on made.id = s.created_run_id
where s.id = %(id)s and s.district_id = %(district)s;
