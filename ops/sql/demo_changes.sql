-- The demo: what the runs with these Airflow run ids did, one row per entity, in reading order.
select district.key, run.id, run.status, coalesce(run.message, ''), counted.entity, counted.received, counted.rejected,
       counted.added, counted.updated, counted.unchanged, counted.unshared, counted.restored
from sync.runs run
join portal.districts district on district.id = run.district_id
left join sync.run_counts counted on counted.run_id = run.id
where run.airflow_run_id = any(%(run_ids)s) and run.airflow_dag_id = any(%(dag_ids)s)
order by district.key, run.id,
  array_position(array['schools', 'teachers', 'students', 'admins', 'classes', 'enrollments', 'licenses', 'books'],
                 counted.entity)
