-- Runs that can no longer be undone (see undo/choose.sql) and still keep before-images. In: days.
select r.id as run_id from sync.runs r
where coalesce(r.wrote_at, r.finished_at, r.started_at) < now() - make_interval(days => %(days)s)
  and r.status <> 'in_progress'
  and exists (select from sync.changes c where c.run_id = r.id)
order by r.id;
