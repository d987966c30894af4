-- The rows that will go are locked before the plan is held against the portal: from here on nobody hangs a license, a book or
-- a class on one of them. Who tries waits, and then finds the row gone.
select 1 from portal.schools where id in (select row_id from staging.plan where run_id = %(run_id)s and entity = 'schools' and action = 'delete') order by id for update;
select 1 from portal.users where id in (select row_id from staging.plan where run_id = %(run_id)s and entity = 'users' and action = 'delete') order by id for update;
select 1 from portal.classes where id in (select row_id from staging.plan where run_id = %(run_id)s and entity = 'classes' and action = 'delete') order by id for update;
