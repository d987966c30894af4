-- Keeps what undoing a run would do, with the Undo that was only a preview. In: run_id, target, plan.
update sync.runs set plan = %(plan)s, undoes_run_id = %(target)s where id = %(run_id)s;
