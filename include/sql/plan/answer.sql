-- Records a person's answer, once, while the question is open. One that was given after the time was up is not an
-- answer: the question timed out.
-- In: run_id, answer, answered_by, reason, answered_at, hold_id (the question that the person saw; null: a run of
-- roster_approve that was started by hand names no question, and means the one that is open).
-- Out: the answer as it was recorded; no row where it came too late.
update sync.holds h
set answer = case when g.is_late then 'timed_out' else g.answer end,
  answered_by = case when not g.is_late then g.answered_by end,
  reason = case when not g.is_late then g.reason end, answered_at = coalesce(g.answered_at, clock_timestamp())
from (
  select x.id, g.*, g.answer <> 'timed_out' and coalesce(g.answered_at, clock_timestamp()) > x.due_at as is_late
  from sync.holds x
  cross join (values (%(answer)s::text, %(answered_by)s::text, %(reason)s::text, %(answered_at)s::timestamptz)) g
    (answer, answered_by, reason, answered_at)
  where x.run_id = %(run_id)s and (x.id = %(hold_id)s::bigint or %(hold_id)s::bigint is null)) g
where h.id = g.id and h.answer is null and h.superseded_by is null
returning h.answer;
