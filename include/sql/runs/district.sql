-- Reads the district's row and settings, and makes them where they are missing. A name changed in the registry follows.
insert into portal.districts (key, name) values (%(key)s, %(name)s) on conflict (key) do nothing;
update portal.districts set name = %(name)s where key = %(key)s and name <> %(name)s;
insert into sync.settings (district_id) select id from portal.districts where key = %(key)s on conflict do nothing;
select id from portal.districts where key = %(key)s;
