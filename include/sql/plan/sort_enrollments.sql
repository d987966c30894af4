-- Puts the enrollments of a first load in order, beside what recognizes people and classes. Reads committed tables only.
-- In: staging.enrollments. Out: the run's staging.sorted_enrollments, which plan/join_enrollments.sql reads and drops.
select staging.sort_enrollments(%(run_id)s, %(district_id)s);
