-- The runs of a district that are at work, or whose Airflow run died; at most one (runs_one_open).
select r.id, r.airflow_dag_id, r.airflow_run_id
from sync.runs r
join portal.districts d on d.id = r.district_id
where d.key = %(key)s and r.status = 'in_progress' and r.airflow_run_id is not null
