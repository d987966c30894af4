-- The counts of one run. Index: run_counts_pkey.
select c.* from sync.run_counts c where c.run_id = %(run)s;
