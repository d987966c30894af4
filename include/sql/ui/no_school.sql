-- One row if none of the district's schools is selected: in the mode 'listed' no run could start. Index: the primary
-- key.
select 1 where not exists (
  select from sync.school_selection c where c.district_id = %(district)s and c.is_selected);
