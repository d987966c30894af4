-- One run as the audit shows it. In: run_id. No person of the roster in it.
select * from sync.audit_runs where run_id = %(run_id)s;
