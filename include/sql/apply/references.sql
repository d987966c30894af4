-- Counts what the adds name and is missing: people, classes and schools, in one pass over the plan instead of a
-- trigger's copy of every row.
-- In: staging.plan; phases, mine (apply/transaction.sql).
-- Out: referenced_rows; missing, how many are not there; older, how many were there before and are to be held
-- (apply/hold_references.sql).
drop table if exists referenced_rows; -- of the first look, before what is there was held
-- speed: not INSERT, which has no parallel workers (PostgreSQL 18.4)
create temporary table referenced_rows on commit drop as
-- speed: own, the ids that this plan gave, where they follow each other without a gap. A row that names only those
-- needs no look: of a first load that is every row, on most nights nearly every
with own as materialized (
  select coalesce(max(first) filter (where entity = 'users'), 0) as user_first,
    coalesce(max(last) filter (where entity = 'users'), -1) as user_last,
    coalesce(max(first) filter (where entity = 'classes'), 0) as class_first,
    coalesce(max(last) filter (where entity = 'classes'), -1) as class_last,
    coalesce(max(first) filter (where entity = 'schools'), 0) as school_first,
    coalesce(max(last) filter (where entity = 'schools'), -1) as school_last
  from (
    select p.entity, min(p.row_id) as first, max(p.row_id) as last from staging.plan p
    where p.run_id = %(run_id)s and p.entity in ('users', 'classes', 'schools') and p.action = 'add'
      and 'adds' = any (%(phases)s)
    group by p.entity having max(p.row_id) - min(p.row_id) + 1 = count(*)) r
)
select p.entity, p.user_id, p.class_id, p.school_id from staging.plan p
where p.run_id = %(run_id)s and p.entity = 'enrollments' and p.action = 'add' and 'adds' = any (%(phases)s)
  and not (p.user_id between (select user_first from own) and (select user_last from own)
    and p.class_id between (select class_first from own) and (select class_last from own))
union all
select p.entity, p.user_id, null, p.school_id from staging.plan p
where p.run_id = %(run_id)s and p.entity = 'user_schools' and p.action = 'add' and 'adds' = any (%(phases)s)
  and not (p.user_id between (select user_first from own) and (select user_last from own)
    and p.school_id between (select school_first from own) and (select school_last from own))
union all
select p.entity, null, null, p.school_id from staging.plan p
where p.run_id = %(run_id)s and p.entity = 'classes' and p.action = 'add' and 'adds' = any (%(phases)s)
  and not p.school_id between (select school_first from own) and (select school_last from own);
analyze referenced_rows;

select
  count(*) filter (where (n.user_id is not null and u.id is null) or (n.class_id is not null and c.id is null)
    or (n.school_id is not null and s.id is null)) as missing,
  count(*) filter (where u.xmin <> %(mine)s::xid or c.xmin <> %(mine)s::xid or s.xmin <> %(mine)s::xid) as older
from referenced_rows n
left join portal.users u on u.id = n.user_id
left join portal.classes c on c.id = n.class_id and c.district_id = %(district_id)s
left join portal.schools s on s.id = n.school_id;
