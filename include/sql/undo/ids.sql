-- Puts back, first, ids that the target gave to rows that it knew (a match, a change of issuer, two rows made one), so
-- that what it deleted can return under its own. Only where the row still has the id that the target gave, and no
-- other row has the old one.
-- In: sync.changes; run_id, district_id, target.
-- Out: undo_ids; portal.*, sync.former_ids.
update sync.former_ids i set row_id = (c.before ->> 'row_id')::bigint
from sync.changes c
where c.run_id = %(target)s and c.table_name = 'source_ids' and i.district_id = %(district_id)s
  and i.entity = c.key ->> 'entity'
  and i.issuer = c.key ->> 'issuer' and i.source_id = c.key ->> 'source_id'
    and i.row_id = (c.after ->> 'row_id')::bigint;

create temporary table undo_ids on commit drop as
with given as (
  select c.table_name, (c.key ->> 'id')::bigint as id, bool_or(c.before ? 'issuer') as has_issuer,
    bool_or(c.before ? 'source_id') as has_source_id,
    (array_agg(c.before ->> 'issuer' order by c.id) filter (where c.before ? 'issuer'))[1] as issuer,
    (array_agg(c.after ->> 'issuer' order by c.id desc) filter (where c.after ? 'issuer'))[1] as issuer_given,
    (array_agg(c.before ->> 'source_id' order by c.id) filter (where c.before ? 'source_id'))[1] as source_id,
    (array_agg(c.after ->> 'source_id' order by c.id desc) filter (where c.after ? 'source_id'))[1] as source_id_given
  from sync.changes c
  where c.run_id = %(target)s and c.action in ('update', 'restore') and c.table_name in ('schools', 'users', 'classes')
    and (c.before ? 'issuer' or c.before ? 'source_id')
  group by c.table_name, c.key
), present as (
  select 'schools' as table_name, id, issuer, source_id from portal.schools where district_id = %(district_id)s
  union all select 'users', id, issuer, source_id from portal.users where district_id = %(district_id)s
  union all select 'classes', id, issuer, source_id from portal.classes where district_id = %(district_id)s
), fitting as (
  select g.table_name, g.id, p.issuer as issuer_now, p.source_id as source_id_now,
    case when g.has_issuer then g.issuer else p.issuer end as issuer,
    case when g.has_source_id then g.source_id else p.source_id end as source_id
  from given g join present p on p.table_name = g.table_name and p.id = g.id
  where (not g.has_issuer or p.issuer is not distinct from g.issuer_given)
    and (not g.has_source_id or p.source_id is not distinct from g.source_id_given)
)
select f.* from fitting f
where not exists (
  select from present p
  where p.table_name = f.table_name and p.issuer = f.issuer and p.source_id = f.source_id
    and not exists (select from fitting x where x.table_name = p.table_name and x.id = p.id));
analyze undo_ids;

update portal.schools t set source_id = null from undo_ids u where u.table_name = 'schools' and t.id = u.id;
update portal.users t set source_id = null from undo_ids u where u.table_name = 'users' and t.id = u.id;
update portal.classes t set source_id = null from undo_ids u where u.table_name = 'classes' and t.id = u.id;
update portal.schools t set issuer = u.issuer, source_id = u.source_id, updated_at = now(), updated_run_id = %(run_id)s
from undo_ids u where u.table_name = 'schools' and t.id = u.id;
update portal.users t set issuer = u.issuer, source_id = u.source_id, updated_at = now(), updated_run_id = %(run_id)s
from undo_ids u where u.table_name = 'users' and t.id = u.id;
update portal.classes t set issuer = u.issuer, source_id = u.source_id, updated_at = now(), updated_run_id = %(run_id)s
from undo_ids u where u.table_name = 'classes' and t.id = u.id;

insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, u.table_name, jsonb_build_object('id', u.id), 'update',
  jsonb_build_object('issuer', u.issuer_now, 'source_id', u.source_id_now),
  jsonb_build_object('issuer', u.issuer, 'source_id', u.source_id), array['issuer', 'source_id']
from undo_ids u;
