-- Analyzes the plan's parts, so that PostgreSQL's planner knows their sizes.
-- In: -.
-- Out: -.
-- speed: the parts one by one; ANALYZE of the whole would read each a second time
select staging.analyze_run(%(run_id)s, array['plan/enrollments', 'plan/user_schools', 'plan/users', 'plan/rest']);
