-- Whether what the adds name is there: people, classes and schools, in one pass over the plan instead of a trigger's copy of every
-- row. In: mine, this transaction's id: what it made itself, nobody else can delete before it is committed. Out: `missing`, what
-- is not there; `older`, what was there before and is to be held (edit/hold_references.sql).
-- own: the ids that this plan gave, where they follow each other without a gap. What names two of those needs no look.
with own as materialized (
  select coalesce(max(first) filter (where entity = 'users'), 0) as user_first, coalesce(max(last) filter (where entity = 'users'), -1) as user_last,
    coalesce(max(first) filter (where entity = 'classes'), 0) as class_first, coalesce(max(last) filter (where entity = 'classes'), -1) as class_last,
    coalesce(max(first) filter (where entity = 'schools'), 0) as school_first, coalesce(max(last) filter (where entity = 'schools'), -1) as school_last
  from (
    select p.entity, min(p.row_id) as first, max(p.row_id) as last from staging.plan p
    where p.run_id = %(run_id)s and p.entity in ('users', 'classes', 'schools') and p.action = 'add' and 'adds' = any (%(phases)s)
    group by p.entity having max(p.row_id) - min(p.row_id) + 1 = count(*)) r
)
select e.missing + m.missing as missing, e.older + m.older as older
from (
  select count(*) filter (where u.id is null or c.id is null) as missing,
    count(*) filter (where u.xmin <> %(mine)s::xid or c.xmin <> %(mine)s::xid) as older
  from staging.plan p
  left join portal.users u on u.id = p.user_id
  left join portal.classes c on c.id = p.class_id and c.district_id = %(district_id)s
  where p.run_id = %(run_id)s and p.entity = 'enrollments' and p.action = 'add' and 'adds' = any (%(phases)s)
    and not (p.user_id between (select user_first from own) and (select user_last from own)
      and p.class_id between (select class_first from own) and (select class_last from own))) e
cross join (
  select count(*) filter (where u.id is null or s.id is null) as missing,
    count(*) filter (where u.xmin <> %(mine)s::xid or s.xmin <> %(mine)s::xid) as older
  from staging.plan p
  left join portal.users u on u.id = p.user_id
  left join portal.schools s on s.id = p.school_id
  where p.run_id = %(run_id)s and p.entity = 'user_schools' and p.action = 'add' and 'adds' = any (%(phases)s)
    and not (p.user_id between (select user_first from own) and (select user_last from own)
      and p.school_id between (select school_first from own) and (select school_last from own))) m;
