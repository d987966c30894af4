-- Deletes the before-images of one run. In: run_id.
delete from sync.changes where run_id = %(run_id)s;
