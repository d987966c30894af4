-- Writes the settings and who changed what; an unchanged setting writes nothing. Runs as roster_desk.
with old as (
  select s.school_mode, s.expires_on from sync.settings s where s.district_id = %(district)s for update
), changed as (
  update sync.settings s
  set school_mode = %(school_mode)s, expires_on = %(expires_on)s::date, updated_at = now(), updated_by = %(who)s
  from old
  where s.district_id = %(district)s
    and (old.school_mode <> %(school_mode)s or old.expires_on is distinct from %(expires_on)s::date)
  returning 1
)
insert into sync.settings_history (district_id, changed_by, setting, before, after)
select %(district)s, %(who)s, v.setting, v.before, v.after
from old cross join lateral (values
  ('school_mode', to_jsonb(old.school_mode), to_jsonb(%(school_mode)s::text)),
  ('expires_on', coalesce(to_jsonb(old.expires_on), 'null'), coalesce(to_jsonb(%(expires_on)s::date), 'null'))
) v (setting, before, after)
where v.before <> v.after;
