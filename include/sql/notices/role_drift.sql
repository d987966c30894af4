-- People whose role at the source is another than in the portal, since these runs. In: district_id, run_ids.
select u.given_name, u.family_name, u.role, w.detail -> 'source_roles' as source_roles
from sync.worklist w join portal.users u on u.id = w.subject_id
where w.district_id = %(district_id)s and w.kind = 'role_drift' and w.opened_run_id = any (%(run_ids)s)
  and w.resolved_at is null
order by lower(u.family_name), lower(u.given_name), u.id;
