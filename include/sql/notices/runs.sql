-- The runs that a digest reports. In: run_ids.
select r.id, r.mode, r.trigger, r.status, r.started_at, r.message, r.plan, r.proof, r.parameters,
  u.started_at as undoes_started_at,
  u.mode as undoes_mode,
  (select coalesce(jsonb_object_agg(c.entity, to_jsonb(c) - 'run_id' - 'entity'), '{}')
   from sync.run_counts c where c.run_id = r.id) as counts
from sync.runs r left join sync.runs u on u.id = r.undoes_run_id
where r.id = any (%(run_ids)s) order by r.id;
