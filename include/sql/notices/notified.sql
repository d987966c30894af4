-- Marks the worklist items that a sent email reported. In: district_id, run_ids, kinds.
update sync.worklist set notified_at = clock_timestamp()
where district_id = %(district_id)s and opened_run_id = any (%(run_ids)s) and kind = any (%(kinds)s)
  and notified_at is null;
