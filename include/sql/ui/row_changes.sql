-- What runs did to one row of the portal, newest first. Index: changes_key.
select c.id, c.run_id, c.key, c.action, c.before, c.after, c.changed, r.started_at, r.mode
from sync.changes c join sync.runs r on r.id = c.run_id
where c.table_name = %(table)s and (c.key ->> 'id')::bigint = %(id)s and c.key ? 'id' and r.district_id = %(district)s
order by c.id desc limit 30;
