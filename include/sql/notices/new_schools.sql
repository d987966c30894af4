-- Schools that these runs added, and whether each still needs a school admin. In: district_id, run_ids.
select s.name, exists (
    select from sync.worklist w
    where w.kind = 'school_needs_admin' and w.subject_id = s.id and w.resolved_at is null) as needs_admin
from portal.schools s
where s.district_id = %(district_id)s and s.created_run_id = any (%(run_ids)s) and s.is_shared
order by lower(s.name), s.id;
