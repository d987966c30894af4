-- An open match review: the new row and the candidate that may be the same person. Locked: two people cannot answer it
-- twice.
select w.id, w.district_id, w.subject_id as new_id, w.second_subject_id as old_id,
  exists (select from portal.users u where u.id = w.subject_id and u.district_id = w.district_id) as has_new,
  exists (select from portal.users u where u.id = w.second_subject_id and u.district_id = w.district_id) as has_old
from sync.worklist w
where w.id = %(item)s and w.kind = 'match_review' and w.resolved_at is null
for update of w;
