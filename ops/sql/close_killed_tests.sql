-- Airflow's metadata database: marks runs of `dags test` that are still 'running', and their tasks, as failed.
-- `dags test` runs everything in its own process: when that is gone, nothing ends them,
-- and a scheduler would adopt them.
with closed as (
  update dag_run set state = 'failed', end_date = now()
  where state = 'running' and triggered_by = 'TEST'
  returning dag_id, run_id
)
update task_instance
set state = 'failed', end_date = now()
from closed
where task_instance.dag_id = closed.dag_id and task_instance.run_id = closed.run_id
  and (task_instance.state is null
       or task_instance.state not in ('success', 'failed', 'skipped', 'upstream_failed', 'removed'));
