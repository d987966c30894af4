-- Schools that came new and are not selected. In: district_id, keys (their source ids).
select l.name from sync.school_selection l
where l.district_id = %(district_id)s and l.source_id = any (%(keys)s) and not l.is_selected
order by lower(l.name), l.source_id;
