-- The approved question of a run that was not carried out yet. In: run_id. Out: its id; no row on most runs.
select id
from sync.holds
where run_id = %(run_id)s and answer = 'approved' and answered_by is not null
  and superseded_by is null and applied_at is null
order by id desc limit 1;
