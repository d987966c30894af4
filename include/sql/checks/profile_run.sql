-- What the checks need to know of the run itself. In: run_id. Reads only.
select r.id, r.mode, r.trigger, r.started_at, r.parameters, r.issuer, r.source_revision
from sync.runs r where r.id = %(run_id)s;
