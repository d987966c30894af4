-- Ends a held run as rejected by a person. In: run_id.
update sync.runs set status = 'rejected', message = 'Rejected by a person; what was held stays as it was.'
where id = %(run_id)s and status = 'held';
