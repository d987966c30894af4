-- What belongs to the schools with these source ids: it stays as it is when they are deselected, and a Reset would
-- then delete it. People are counted up to 50,000: beyond that the number decides nothing, and costs a second.
-- Licenses: those of the schools, and of the counted people who are in no other school.
-- Indexes: user_schools_school_idx, user_schools_pkey, classes_school_idx, license_assignments_school_idx, _user_idx.
with chosen as materialized (
  select s.id from portal.schools s where s.district_id = %(district)s and s.source_id = any(%(ids)s)
), standing as materialized (
  select us.user_id from chosen c join portal.user_schools us on us.school_id = c.id and us.is_active limit 50001
), people as materialized (
  select distinct t.user_id from standing t
)
select (select count(*) from chosen) as schools,
  (select count(*) from people) as people,
  (select count(*) from (select 1 from chosen c join portal.classes k on k.school_id = c.id limit 50001) n) as classes,
  (select count(*) from portal.license_assignments l join chosen c on c.id = l.school_id)
    + (select count(*) from people p join portal.license_assignments l on l.user_id = p.user_id
       where not exists (
         select from portal.user_schools us
         where us.user_id = p.user_id and us.is_active
           and us.school_id not in (select c.id from chosen c))) as licenses;
