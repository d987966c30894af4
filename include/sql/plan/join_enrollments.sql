-- Which enrolments differ between feed and portal: one full join, of which only what differs comes out. Reads committed tables
-- only, so that a second connection can do it beside the rest of the plan. In: staging.enrollments, staging.resolved.
select staging.join_enrollments(%(run_id)s, %(district_id)s, %(mode)s = 'reset');
