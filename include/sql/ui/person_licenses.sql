-- The licenses of one person, and those of the person's schools. Indexes: license_assignments_user_idx, _school_idx.
select p.title, l.assigned_by, l.assigned_at, l.expires_on, null as school,
  l.expires_on is null or l.expires_on >= current_date as is_valid
from portal.license_assignments l join portal.products p on p.id = l.product_id where l.user_id = %(id)s
union all
select p.title, l.assigned_by, l.assigned_at, l.expires_on, s.name, l.expires_on is null or l.expires_on >= current_date
from portal.user_schools us
join portal.license_assignments l on l.school_id = us.school_id
join portal.products p on p.id = l.product_id join portal.schools s on s.id = us.school_id
where us.user_id = %(id)s and us.is_active and %(role)s <> 'student'
order by school nulls first, title;
