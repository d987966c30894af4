-- Adds an address, or activates it again, and records who did it. Runs as roster_desk.
with added as (
  insert into sync.subscriptions (district_id, email) values (%(district)s, %(email)s)
  on conflict (district_id, email) do update set is_active = true where not sync.subscriptions.is_active
  returning email
)
insert into sync.settings_history (district_id, changed_by, setting, before, after)
select %(district)s, %(who)s, 'sync_emails', 'null', to_jsonb(email) from added;
