-- Runs whose findings are past their keep-by date. In: days.
select r.id as run_id from sync.runs r
where r.started_at < now() - make_interval(days => %(days)s)
  and exists (select from sync.findings f where f.run_id = r.id)
order by r.id;
