-- Who changed which setting, newest first.
select h.changed_at, h.changed_by, h.setting, h.before, h.after
from sync.settings_history h where h.district_id = %(district)s order by h.id desc limit %(limit)s;
