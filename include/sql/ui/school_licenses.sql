-- The licenses of one school. Index: license_assignments_school_idx.
select p.title, l.assigned_by, l.assigned_at, l.expires_on,
  l.expires_on is null or l.expires_on >= current_date as is_valid
from portal.license_assignments l join portal.products p on p.id = l.product_id
where l.school_id = %(id)s and l.district_id = %(district)s order by p.title;
