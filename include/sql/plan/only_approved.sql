-- Of an approved Edit only those rows are removed that were asked about (and are still shared and selected: else the
-- plan would not have found them).
-- In: hold_id, the approved question.
-- Out: staging.plan.
delete from staging.plan p
where p.run_id = %(run_id)s and p.phase = 'removals'
  and not exists (
    select from sync.held_rows h
    where h.hold_id = %(hold_id)s and h.entity = p.entity and h.row_id is not distinct from p.row_id
      and h.class_id is not distinct from p.class_id and h.user_id is not distinct from p.user_id
      and (p.entity = 'classes' or h.school_id is not distinct from p.school_id)
      and (p.entity <> 'enrollments' or h.role = p.role));
