-- The questions that still wait. In: keys (hold ids).
select h.run_id, h.scope, h.summary, h.due_at, r.mode
from sync.holds h join sync.runs r on r.id = h.run_id
where h.id = any (%(keys)s::bigint[]) and h.answer is null and h.superseded_by is null
order by h.id;
