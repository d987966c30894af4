-- Which enrollments differ between feed and portal: one full join, of which only what differs comes out. Reads committed tables
-- only, so that a second connection can do it beside the rest of the plan. In: staging.enrollments, staging.resolved.
-- Out: how many lines are only in the feed; on both sides and differ, or only in the portal; how many name an enrollment once more.
select adding as joined_adding, differing as joined_differing, repeated as joined_repeated
from staging.join_enrollments(%(run_id)s, %(district_id)s, %(mode)s = 'reset');
