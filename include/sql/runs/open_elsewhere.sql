-- The open runs of a district that another Airflow run opened. In: district_id, airflow_dag_id, airflow_run_id.
-- Out: at most one row (runs_one_open).
select id, airflow_dag_id, airflow_run_id
from sync.runs
where district_id = %(district_id)s and status = 'in_progress'
  and (airflow_dag_id, airflow_run_id) is distinct from (%(airflow_dag_id)s, %(airflow_run_id)s);
