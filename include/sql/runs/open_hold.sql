-- The question of a run that still waits for an answer, if there is one. At most one row (holds_one_open).
select id, asked_at, due_at
from sync.holds
where run_id = %(run_id)s and answer is null and superseded_by is null
