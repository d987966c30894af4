-- What a run asked, newest first, and how it was answered.
select h.id, h.scope, h.summary, h.asked_at, h.due_at, h.answer, h.answered_by, h.answered_at, h.reason,
  h.superseded_by, h.applied_at
from sync.holds h where h.run_id = %(run)s order by h.id desc;
