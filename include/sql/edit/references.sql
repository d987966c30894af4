-- Whether what the adds name is there: people, classes and schools, in one pass over the plan instead of a trigger's copy of every
-- row. In: mine, this transaction's id: what it made itself, nobody else can delete before it is committed. Out: `missing`, what
-- is not there; `older`, what was there before and is to be held (edit/hold_references.sql).
select e.missing + m.missing as missing, e.older + m.older as older
from (
  select count(*) filter (where u.id is null or c.id is null) as missing,
    count(*) filter (where u.xmin <> %(mine)s::xid or c.xmin <> %(mine)s::xid) as older
  from staging.plan p
  left join portal.users u on u.id = p.user_id
  left join portal.classes c on c.id = p.class_id and c.district_id = %(district_id)s
  where p.run_id = %(run_id)s and p.entity = 'enrollments' and p.action = 'add' and p.phase = any (%(phases)s)) e
cross join (
  select count(*) filter (where u.id is null or s.id is null) as missing,
    count(*) filter (where u.xmin <> %(mine)s::xid or s.xmin <> %(mine)s::xid) as older
  from staging.plan p
  left join portal.users u on u.id = p.user_id
  left join portal.schools s on s.id = p.school_id
  where p.run_id = %(run_id)s and p.entity = 'user_schools' and p.action = 'add' and p.phase = any (%(phases)s)) m;
