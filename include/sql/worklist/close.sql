-- Closes the open items whose subject is gone or whose work is done. Needs: judged (judge.sql). Twice: nothing more.
update sync.worklist w
set resolved_at = now(), resolved_by = 'sync', resolution = coalesce(j.gone, j.done)
from judged j
where j.id = w.id and j.is_open and coalesce(j.gone, j.done) is not null and w.resolved_at is null;
