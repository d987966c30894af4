-- The views and functions of the three schemas with their comments, and the roles that may read or call them: null for
-- a function that every role may call.
select n.nspname as schema, 'view' as kind, c.relname as name, obj_description(c.oid, 'pg_class') as comment,
  array(
    select pg_get_userbyid(g.grantee)::text from aclexplode(c.relacl) g
    where g.grantee <> c.relowner and g.privilege_type = 'SELECT' order by 1) as roles
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('portal', 'sync', 'staging') and c.relkind = 'v'
union all
select n.nspname, case when p.prorettype = 'trigger'::regtype then 'trigger' else 'function' end, p.proname,
  obj_description(p.oid, 'pg_proc'),
  case when has_function_privilege('public', p.oid, 'execute') then null else array(
    select pg_get_userbyid(g.grantee)::text from aclexplode(p.proacl) g where g.grantee <> p.proowner order by 1) end
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('portal', 'sync', 'staging')
order by schema, kind, name;
