-- Opens worklist items for role drift and for matches that are not proved, each once; drift that is over is closed.
-- In: staging.plan, staging.user_values; phases.
-- Out: sync.worklist.
insert into sync.worklist (district_id, kind, subject_type, subject_id, second_subject_id, detail, opened_run_id)
select %(district_id)s, p.kind, 'user', p.row_id, p.user_id,
  case when p.kind = 'role_drift' then jsonb_build_object('source_roles', to_jsonb(p.changed)) else '{}' end, %(run_id)s
from staging.plan p
where p.run_id = %(run_id)s and p.entity = 'worklist' and p.phase = any (%(phases)s)
  and not exists ( -- a review that a person has answered is not asked again
    select from sync.worklist w where w.district_id = %(district_id)s and w.kind = p.kind and w.subject_id = p.row_id
      and coalesce(w.second_subject_id, 0) = coalesce(p.user_id, 0)
      and (w.resolved_at is null or (p.kind = 'match_review' and w.resolved_at is not null)));

update sync.worklist w set resolved_at = now(), resolved_by = 'sync', resolution = 'The source gives this role again.'
from staging.user_values v join portal.users u on u.id = v.row_id
where w.district_id = %(district_id)s and w.kind = 'role_drift' and w.resolved_at is null
  and v.run_id = %(run_id)s and w.subject_id = v.row_id
  and (u.role = any (v.roles) or (u.role = 'school_admin' and 'staff' = any (v.source_roles)));
