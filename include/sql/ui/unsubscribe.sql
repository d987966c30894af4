-- Ends a subscription and records who did it. Runs as roster_desk.
with ended as (
  update sync.subscriptions set is_active = false
  where district_id = %(district)s and id = %(id)s and is_active returning email
)
insert into sync.settings_history (district_id, changed_by, setting, before, after)
select %(district)s, %(who)s, 'sync_emails', to_jsonb(email), 'null' from ended;
