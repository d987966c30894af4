-- One district's settings and what is open, in one row. Indexes: primary keys, worklist_open, runs_district.
select s.school_mode, s.expires_on,
  (select count(*) from sync.school_selection c where c.district_id = %(district)s) as schools_known,
  (select count(*) from sync.school_selection c
    where c.district_id = %(district)s and c.is_selected) as schools_selected,
  (select count(*) from sync.subscriptions b where b.district_id = %(district)s and b.is_active) as subscribers,
  good.id as good_id, good.finished_at as good_at, good.issuer
from (select 1) always
left join sync.settings s on s.district_id = %(district)s
left join lateral (
  select r.id, r.finished_at, r.issuer from sync.runs r
  where r.district_id = %(district)s and r.mode <> 'undo' and r.steps <> '[]' and not r.parameters ? 'events'
    and (r.status = 'launched' or (r.status in ('held', 'rejected') and r.wrote_at is not null))
  order by r.id desc limit 1) good on true;
