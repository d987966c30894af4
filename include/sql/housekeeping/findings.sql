-- Deletes the findings of one run. In: run_id.
delete from sync.findings where run_id = %(run_id)s;
