-- Drops one run's partitions. Waits no longer than five seconds for runs that read their own at this moment: a drop
-- that queues up would hold up every reader behind it.
set local lock_timeout = '5s';
select staging.drop_run(%(run_id)s);
