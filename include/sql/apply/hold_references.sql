-- Locks the people, classes and schools that the adds name and that were there before, as a foreign key would,
-- so that a concurrent delete waits.
-- In: referenced_rows (apply/references.sql); mine.
-- Out: row locks.
select 1 from portal.users u
where u.xmin <> %(mine)s::xid and u.id in (select n.user_id from referenced_rows n) order by u.id for key share of u;
select 1 from portal.classes c
where c.xmin <> %(mine)s::xid and c.id in (select n.class_id from referenced_rows n) order by c.id for key share of c;
select 1 from portal.schools s
where s.xmin <> %(mine)s::xid and s.id in (select n.school_id from referenced_rows n) order by s.id for key share of s;
