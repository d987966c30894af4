-- Which enrollments differ between feed and portal: one full join, of which only what differs comes out. Reads
-- committed tables only, so that a second connection can do it in parallel with the rest of the plan.
-- In: staging.enrollments, staging.resolved, staging.sorted_enrollments.
-- Out: staging.made_plan. Result: how many lines are only in the feed (adding); on both sides and not the same, or
-- only in the portal (differing); name an enrollment that another line names, too (repeated).
select adding, differing, repeated
from staging.join_enrollments(%(run_id)s, %(district_id)s, %(mode)s = 'reset');
