-- An open question of a run, for Required Actions. In: run_id, hold_id (null: whichever is open).
select h.run_id, h.scope, h.summary, h.due_at, r.mode, d.name as district
from sync.holds h join sync.runs r on r.id = h.run_id join portal.districts d on d.id = r.district_id
where h.run_id = %(run_id)s and (h.id = %(hold_id)s::bigint or %(hold_id)s::bigint is null) and h.answer is null
  and h.superseded_by is null;
