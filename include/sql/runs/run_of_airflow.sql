-- The run that an Airflow run opened; at most one (runs_airflow).
select id, status
from sync.runs
where airflow_dag_id = %(airflow_dag_id)s and airflow_run_id = %(airflow_run_id)s
