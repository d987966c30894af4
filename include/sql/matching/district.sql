-- The district of a worklist item. In: item.
select district_id from sync.worklist where id = %(item)s;
