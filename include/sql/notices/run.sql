-- The run whose news is sent. In: run_id. Reads only.
select r.id, r.district_id, r.mode, r.trigger, r.status, r.started_at, r.message, r.undoes_run_id
from sync.runs r where r.id = %(run_id)s;
