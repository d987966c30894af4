-- Deletes the rows of questions that nobody will carry out any more: rejected, timed out, superseded, or carried out.
-- An approval that waits to be carried out keeps its own.
delete from sync.held_rows r using sync.holds h
where h.id = r.hold_id
  and (h.superseded_by is not null or h.applied_at is not null or h.answer in ('rejected', 'timed_out'));
