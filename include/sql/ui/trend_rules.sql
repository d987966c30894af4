-- Rejected rows by rule over the last runs. Index: findings_run.
select f.run_id, f.rule, count(*) as found
from unnest(%(runs)s::bigint[]) as wanted (id) join sync.findings f on f.run_id = wanted.id and f.severity = 'error'
group by f.run_id, f.rule;
