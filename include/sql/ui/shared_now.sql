-- How many rows of each kind a run found shared: what the portal shows since then. A few rows per run, never a count
-- over the portal's tables (900,000 students would cost a second).
select k.run_id, k.entity, k.added + k.updated + k.unchanged + k.restored as shared
from sync.run_counts k where k.run_id = any(%(runs)s::bigint[]);
