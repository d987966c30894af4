-- The district of a run. In: run_id.
select district_id from sync.runs where id = %(run_id)s;
