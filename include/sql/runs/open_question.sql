-- The district's run whose question still waits for a person, or for its approval to be carried out; none on most days.
select h.run_id
from sync.holds h join sync.runs r on r.id = h.run_id
where r.district_id = %(district_id)s and h.superseded_by is null and h.applied_at is null
  and coalesce(h.answer, 'approved') = 'approved'
order by h.run_id desc limit 1;
