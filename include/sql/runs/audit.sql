-- One run as the audit tells it. In: run_id. No person of the roster in it.
select * from sync.audit_runs where run_id = %(run_id)s;
