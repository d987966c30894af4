-- The district of a registry key. In: key.
select id from portal.districts where key = %(key)s;
