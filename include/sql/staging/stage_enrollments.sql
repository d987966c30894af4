-- Stages enrollments by the numbers of their class and person; those that are unusual are set aside. Reads committed
-- tables only, so that a second connection can do it in parallel with the checks of people. In: the run's
-- raw_enrollments, staging.users, .classes, .schools.
-- Out: staging.enrollments, .unusual_enrollments.
select staging.stage_enrollments(%(run_id)s);
