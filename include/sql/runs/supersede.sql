-- Supersedes every open question of a district by a later Edit, Reset or Undo, at once. Later, because the start
-- of an older run comes again with any of its tasks that is cleared.
update sync.holds h set superseded_by = %(run_id)s
from sync.runs r
where r.id = h.run_id and r.district_id = %(district_id)s and r.id < %(run_id)s
  and h.superseded_by is null and h.applied_at is null and coalesce(h.answer, 'approved') = 'approved';
