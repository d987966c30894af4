-- The people, classes and schools that the adds name and that were there before: held as a foreign key holds them, so that a
-- concurrent delete waits. In: staging.plan, mine (edit/references.sql).
select 1 from portal.users u
where u.xmin <> %(mine)s::xid and u.id in (
  select p.user_id from staging.plan p
  where p.run_id = %(run_id)s and p.entity in ('enrollments', 'user_schools') and p.action = 'add' and p.phase = any (%(phases)s))
order by u.id for key share of u;
select 1 from portal.classes c
where c.xmin <> %(mine)s::xid and c.id in (
  select p.class_id from staging.plan p
  where p.run_id = %(run_id)s and p.entity = 'enrollments' and p.action = 'add' and p.phase = any (%(phases)s))
order by c.id for key share of c;
select 1 from portal.schools s
where s.xmin <> %(mine)s::xid and s.id in (
  select p.school_id from staging.plan p
  where p.run_id = %(run_id)s and p.entity = 'user_schools' and p.action = 'add' and p.phase = any (%(phases)s))
order by s.id for key share of s;
