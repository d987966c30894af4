-- Where the events of a district are read on from; nothing before its first whole read.
select c.event_id, c.taken_at, c.issuer
from sync.event_cursors c join portal.districts d on d.id = c.district_id
where d.key = %(key)s;
