-- What hangs on the schools with these ids at the source: what stays as it is when they are deselected, and what a
-- Reset would then delete. People are counted up to 50,000: beyond that the number decides nothing, and costs a second.
-- Indexes: user_schools_school_idx, classes_school_idx, license_assignments_school_idx.
with chosen as (
  select s.id from portal.schools s where s.district_id = %(district)s and s.source_id = any(%(ids)s)
)
select (select count(*) from chosen) as schools,
  (select count(distinct n.user_id) from (
     select us.user_id from chosen c join portal.user_schools us on us.school_id = c.id and us.is_active limit 50001) n) as people,
  (select count(*) from (select 1 from chosen c join portal.classes k on k.school_id = c.id limit 50001) n) as classes,
  (select count(*) from portal.license_assignments l join chosen c on c.id = l.school_id) as licenses;
