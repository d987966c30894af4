-- Opens again what was closed because its subject was gone, where the subject is back and the work is still to be done.
-- In: run_id. Needs: judged (judge.sql). Schools are opened by their state alone (open_schools.sql).
insert into sync.worklist (district_id, kind, subject_type, subject_id, second_subject_id, detail, opened_run_id)
select w.district_id, w.kind, w.subject_type, w.subject_id, w.second_subject_id, w.detail, %(run_id)s
from judged j join sync.worklist w on w.id = j.id
where not j.is_open and j.gone is null and j.done is null and w.kind <> 'school_needs_admin'
on conflict do nothing;
