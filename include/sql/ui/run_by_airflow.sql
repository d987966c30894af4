-- The run that an Airflow run recorded, if it has come that far. Index: runs_airflow.
select r.id, r.district_id, r.status, r.message from sync.runs r
where r.airflow_dag_id = %(dag)s and r.airflow_run_id = %(airflow_run)s and r.district_id = %(district)s;
