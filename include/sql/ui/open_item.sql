-- One open item of a kind, locked until the end of the transaction: two people cannot close it twice.
select w.id, w.subject_id, w.second_subject_id from sync.worklist w
where w.district_id = %(district)s and w.kind = %(kind)s and w.id = %(item)s and w.resolved_at is null
for update;
