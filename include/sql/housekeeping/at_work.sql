-- Runs that are at work, and whether for longer than a run may take. In: hours. Locks nothing.
select r.id as run_id, r.airflow_dag_id, r.airflow_run_id,
  r.started_at < now() - make_interval(secs => %(hours)s * 3600) as is_overdue
from sync.runs r where r.status = 'in_progress' order by r.id;
