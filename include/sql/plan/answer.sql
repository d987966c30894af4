-- A person's answer, once, while the question stands.
update sync.holds set answer = %(answer)s, answered_by = %(answered_by)s, answered_at = clock_timestamp(), reason = %(reason)s
where run_id = %(run_id)s and answer is null and superseded_by is null;
