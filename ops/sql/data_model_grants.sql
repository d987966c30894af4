-- What the database roles may write: per table and role the privileges, and of a part of the columns which ones.
select n.nspname as schema, c.relname as table_name, pg_get_userbyid(g.grantee)::text as role,
  lower(g.privilege_type) as privilege,
  array_agg(a.attname::text order by a.attnum) filter (where a.attname is not null) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('portal', 'sync', 'staging')
cross join lateral (
  select x.grantee, x.privilege_type, null::smallint as attnum from aclexplode(c.relacl) x
  union all
  select x.grantee, x.privilege_type, l.attnum
  from pg_attribute l cross join lateral aclexplode(l.attacl) x where l.attrelid = c.oid) g
left join pg_attribute a on a.attrelid = c.oid and a.attnum = g.attnum
where c.relkind in ('r', 'p') and not c.relispartition and g.grantee <> c.relowner and g.privilege_type <> 'SELECT'
group by n.nspname, c.relname, g.grantee, g.privilege_type, g.attnum is null
order by 1, 2, 3, array_position(array['INSERT', 'UPDATE', 'DELETE'], g.privilege_type), 5;
