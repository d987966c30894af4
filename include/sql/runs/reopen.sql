-- Reopens a held run, now in another Airflow run. In: run_id, airflow_dag_id, airflow_run_id. Out: its mode.
-- Where another run of the district is open, the index runs_one_open refuses it.
update sync.runs
set status = 'in_progress', finished_at = null, airflow_dag_id = %(airflow_dag_id)s, airflow_run_id = %(airflow_run_id)s
where id = %(run_id)s
returning mode;
