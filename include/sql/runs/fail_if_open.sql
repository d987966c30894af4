-- Ends a run that is still open: as failed, or, where only its last task was cleared, as it had ended before.
-- In: run_id, message. Out: how it ended; no row where it was not open.
update sync.runs
set status = coalesce(ended_as, 'failed'), finished_at = clock_timestamp(), step = null,
  message = case when ended_as is null then %(message)s else message end
where id = %(run_id)s and status = 'in_progress'
returning status;
