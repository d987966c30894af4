-- Marks these notices as sent. In: ids.
update sync.notices set sent_at = clock_timestamp() where id = any (%(ids)s) and sent_at is null;
