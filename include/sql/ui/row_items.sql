-- Open worklist items of one person or school. Index: worklist_subject.
select w.kind, w.opened_at, w.opened_run_id from sync.worklist w
where w.subject_type = %(type)s and w.subject_id = %(id)s and w.resolved_at is null and w.district_id = %(district)s
order by w.id;
