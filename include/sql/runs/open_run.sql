-- Opens a run; an Airflow run that is repeated finds its row, whatever the first try left.
insert into sync.runs (district_id, mode, trigger, started_by, reason, parameters, airflow_dag_id, airflow_run_id,
  undoes_run_id)
values (%(district_id)s, %(mode)s, %(trigger)s, %(started_by)s, %(reason)s, %(parameters)s, %(airflow_dag_id)s,
  %(airflow_run_id)s, %(undoes_run_id)s)
on conflict (airflow_dag_id, airflow_run_id) where airflow_run_id is not null
do update set status = 'in_progress', finished_at = null,
  ended_as = case when sync.runs.status in ('launched', 'held', 'previewed', 'undone') then sync.runs.status
    else sync.runs.ended_as end
returning id;
