-- Ends a run. In: run_id, status, message (null: the message that it has stays).
update sync.runs
set status = %(status)s, message = coalesce(%(message)s, message), finished_at = clock_timestamp(), step = null
where id = %(run_id)s;
