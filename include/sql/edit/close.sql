-- The run has written: marked with what it changed. A question that was carried out is done with.
update sync.runs set wrote_at = case when wrote_at is not null or exists (select from staging.plan p where p.run_id = %(run_id)s and p.phase = any (%(phases)s))
  or mode = 'reset' or cardinality(%(phases)s::text[]) > 0 then coalesce(wrote_at, clock_timestamp()) end
where id = %(run_id)s;
update sync.holds set applied_at = clock_timestamp()
where run_id = %(run_id)s and answer = 'approved' and applied_at is null and %(status)s = 'launched';
