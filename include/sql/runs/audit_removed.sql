-- How many rows of which table a run removed. In: run_id. The rows themselves: sync.audit_removed.
select table_name, count(*) as removed from sync.audit_removed
where run_id = %(run_id)s group by table_name order by table_name;
