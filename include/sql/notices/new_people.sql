-- Teachers and staff whom these runs added and who are still there, with the first of their schools; of each group the
-- first few, with how many there are and how many of them need a license. In: district_id, run_ids, shown.
with people as (
  select u.id, u.role, u.given_name, u.family_name, u.role = 'teacher' as is_teacher, m.school, m.schools,
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
), placed as (
  select *, count(*) over (partition by is_teacher) as total,
    count(*) filter (where needs_license) over (partition by is_teacher) as needing,
    row_number() over (partition by is_teacher
      order by school nulls last, lower(family_name), lower(given_name), id) as place
  from people
)
select role, is_teacher, given_name, family_name, school, schools, total, needing
from placed where place <= %(shown)s order by is_teacher desc, place;
