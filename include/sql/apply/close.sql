-- Marks the run as written, with the time, as the last step of apply. A question that was carried out is closed. A
-- night without changes has written nothing.
-- In: staging.plan; phases, status.
-- Out: sync.runs.wrote_at, sync.holds.applied_at.
update sync.runs set wrote_at = clock_timestamp()
where id = %(run_id)s and exists (
  select from staging.plan p where p.run_id = %(run_id)s and p.entity <> 'worklist' and p.phase = any (%(phases)s));
update sync.holds set applied_at = clock_timestamp()
where run_id = %(run_id)s and answer = 'approved' and applied_at is null and %(status)s = 'launched';
