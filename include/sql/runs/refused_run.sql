-- Records a run that was refused before it began, with the reason.
insert into sync.runs (district_id, mode, trigger, status, finished_at, started_by, reason, parameters, airflow_dag_id,
  airflow_run_id, message)
values (%(district_id)s, %(mode)s, %(trigger)s, %(status)s, clock_timestamp(), %(started_by)s, %(reason)s,
  %(parameters)s, %(airflow_dag_id)s, %(airflow_run_id)s, %(message)s)
on conflict (airflow_dag_id, airflow_run_id) where airflow_run_id is not null
do update set status = excluded.status, message = excluded.message, finished_at = excluded.finished_at
-- one that ended, of which a task was cleared, stays as it ended
where sync.runs.status not in ('launched', 'held', 'previewed', 'undone');
