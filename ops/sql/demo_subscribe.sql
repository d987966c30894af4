-- The demo: a district as the portal knows it before its first sync, and a person who wants the sync's mails.
insert into portal.districts (key, name) values (%(key)s, %(name)s) on conflict (key) do nothing;
insert into sync.subscriptions (district_id, email)
select id, %(email)s from portal.districts where key = %(key)s
on conflict do nothing;
