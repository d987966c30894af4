-- The tables and columns of the three schemas with their comments. Partitions of a run are left out.
select n.nspname as schema, obj_description(n.oid, 'pg_namespace') as schema_comment, c.relname as table_name,
  obj_description(c.oid, 'pg_class') as table_comment, a.attname as column_name,
  format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end as type,
  col_description(c.oid, a.attnum) as column_comment
from pg_class c
join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('portal', 'sync', 'staging')
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'p') and not c.relispartition
order by array_position(array['portal', 'sync', 'staging']::name[], n.nspname), c.relname, a.attnum;
