-- One district by its key, if it was ever synced. Index: districts_key_key.
select d.id, d.name from portal.districts d where d.key = %(key)s;
