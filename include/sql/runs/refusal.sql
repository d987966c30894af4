-- Why a run may not start: expired (in the district's own time zone), or schools are listed and none is selected.
select s.expires_on, coalesce(s.expires_on < (now() at time zone %(timezone)s)::date, false) as is_expired,
  -- recorded once, not every night: since the date was set, or since something else was recorded
  coalesce((select r.status = 'expired' and r.trigger = 'nightly' and %(trigger)s = 'nightly'
    and r.started_at > s.updated_at
            from sync.runs r where r.district_id = s.district_id order by r.id desc limit 1),
              false) as is_expiry_recorded,
  s.school_mode = 'listed'
    and exists (select from sync.school_selection c where c.district_id = s.district_id)
    and not exists (select from sync.school_selection c
      where c.district_id = s.district_id and c.is_selected) as is_none_selected
from sync.settings s where s.district_id = %(district_id)s;
