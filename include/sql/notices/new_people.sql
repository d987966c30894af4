-- Teachers and staff whom these runs added and who are still there, with the first of their schools. In: district_id, run_ids.
select u.role, u.given_name, u.family_name, m.school, m.schools,
  u.role = 'teacher' and not exists (
    select from portal.license_assignments a
    where a.user_id = u.id and (a.expires_on is null or a.expires_on >= current_date)) as needs_license
from portal.users u
left join lateral (
  select min(s.name) as school, count(*) as schools
  from portal.user_schools us join portal.schools s on s.id = us.school_id
  where us.user_id = u.id and us.is_active) m on true
where u.district_id = %(district_id)s and u.created_run_id = any (%(run_ids)s) and u.role <> 'student'
  and u.is_shared and not u.is_dummy
order by case u.role when 'teacher' then 1 else 2 end, m.school, lower(u.family_name), lower(u.given_name), u.id;
