-- How often each rule found something in a run, with one of its messages. Index: findings_run.
select f.severity, f.entity, f.rule, count(*) as found, min(f.message) as message
from sync.findings f where f.run_id = %(run)s
group by f.severity, f.entity, f.rule
order by case f.severity when 'error' then 1 when 'warning' then 2 else 3 end, count(*) desc, f.entity, f.rule;
