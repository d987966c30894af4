-- Locks the rows that a Reset will delete, before the plan is compared with the portal: from here on nobody adds a
-- license, a book or a class to one of them. Whoever tries waits, and then finds the row gone.
-- In: staging.plan.
-- Out: row locks.
select 1 from portal.schools
  where id in (select row_id from staging.plan
    where run_id = %(run_id)s and entity = 'schools' and action = 'delete') order by id for update;
select 1 from portal.users
  where id in (select row_id from staging.plan
    where run_id = %(run_id)s and entity = 'users' and action = 'delete') order by id for update;
select 1 from portal.classes
  where id in (select row_id from staging.plan
    where run_id = %(run_id)s and entity = 'classes' and action = 'delete') order by id for update;
