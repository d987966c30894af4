-- Rows that the rules rejected or warned of in a run, keyset by id within a severity. Index: findings_run.
select f.id, f.entity, f.source_id, f.severity, f.rule, f.field, f.message, f.line
from sync.findings f
where f.run_id = %(run)s and f.severity = %(severity)s
  and (%(rule)s = '' or f.rule = %(rule)s) and (%(entity)s = '' or f.entity = %(entity)s)
  and f.id > %(after)s
order by f.id limit %(limit)s;
