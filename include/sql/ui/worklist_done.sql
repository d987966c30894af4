-- The items that people closed last, and who closed them.
select w.kind, w.resolved_at, w.resolved_by, w.resolution, w.subject_type, w.subject_id,
  case when w.subject_type = 'school' then s.name else concat_ws(', ', u.family_name, u.given_name) end as label
from sync.worklist w
left join portal.users u on w.subject_type = 'user' and u.id = w.subject_id
left join portal.schools s on w.subject_type = 'school' and s.id = w.subject_id
where w.district_id = %(district)s and w.kind = %(kind)s and w.resolved_at is not null and w.resolved_by <> 'sync'
order by w.resolved_at desc limit 10;
