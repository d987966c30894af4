-- One row where none of the district's schools is chosen, so that in the mode 'listed' no run could go. Index: the primary key.
select 1 where not exists (
  select from sync.school_selection c where c.district_id = %(district)s and c.is_selected);
