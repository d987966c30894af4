-- What the rules of the district's last runs found about one id at the source. Index: findings_run.
select f.run_id, f.severity, f.rule, f.field, f.message, r.started_at
from (select r.id, r.started_at from sync.runs r where r.district_id = %(district)s order by r.id desc limit 10) r
join sync.findings f on f.run_id = r.id and f.source_id = %(source_id)s
order by r.id desc, f.id limit 20;
