-- Runs whose feed and plan are staged for longer than wanted. A run at work keeps its own, and so does an Edit whose
-- question
-- is open or was approved and not carried out: it goes on with what it staged. In: days. Reads the catalog, locks
-- nothing.
select t.run_id
from (
  select substring(c.relname from '_([0-9]+)$')::bigint as run_id
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
  where i.inhparent = 'staging.plan'::regclass) t
left join sync.runs r on r.id = t.run_id
where (r.id is null or r.started_at < now() - make_interval(days => %(days)s))
  and r.status is distinct from 'in_progress'
  and not exists (
    select from sync.holds h
    where h.run_id = t.run_id and h.superseded_by is null and h.applied_at is null
      and (h.answer is null or h.answer = 'approved'))
order by t.run_id;
