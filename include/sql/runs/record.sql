-- What a run is and how far it is. In: run_id. Out: one row, or none where nobody knows the run.
select id, district_id, mode, status, undoes_run_id from sync.runs where id = %(run_id)s;
