-- Keeps the plan's summary with the run.
-- In: run_id, plan, digest, is_complete_feed.
-- Out: sync.runs.
update sync.runs set plan = %(plan)s, plan_digest = %(digest)s, is_complete_feed = %(is_complete_feed)s
where id = %(run_id)s;
