-- Which run an Undo undoes, as its first task chose.
select undoes_run_id
from sync.runs
where id = %(run_id)s
