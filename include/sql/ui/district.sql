-- One district by its key, if it was ever synced, and what is open on its worklist. Indexes: districts_key_key,
-- worklist_open.
select d.id, d.name, (select count(*) from (
  select 1 from sync.worklist w where w.district_id = d.id and w.resolved_at is null limit 1000) n) as open_items
from portal.districts d where d.key = %(key)s;
