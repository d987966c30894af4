-- Puts the enrollments of a first load in order, in parallel with what recognizes people and classes. Reads
-- committed tables only. plan/join_enrollments.sql drops what it leaves.
-- In: staging.enrollments.
-- Out: staging.sorted_enrollments.
select staging.sort_enrollments(%(run_id)s, %(district_id)s);
