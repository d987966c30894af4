-- What hangs on the schools with these ids at the source: what stays as it is when they are deselected, and what a
-- Reset would then delete. Indexes: user_schools_school_idx, classes_school_idx, license_assignments_school_idx.
with chosen as (
  select s.id from portal.schools s where s.district_id = %(district)s and s.source_id = any(%(ids)s)
)
select (select count(*) from chosen) as schools,
  (select count(distinct us.user_id) from portal.user_schools us join chosen c on c.id = us.school_id where us.is_active) as people,
  (select count(*) from portal.classes k join chosen c on c.id = k.school_id) as classes,
  (select count(*) from portal.license_assignments l join chosen c on c.id = l.school_id) as licenses;
