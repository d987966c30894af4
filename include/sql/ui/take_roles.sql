-- Gives the selected people the source's role, and records the one they had. A person's decision, never the
-- sync's: roster_desk is the only role that may write portal.users.role.
with chosen as (
  select w.id, u.id as user_id, u.role as old_role, w.detail -> 'source_roles' ->> 0 as new_role
  from sync.worklist w join portal.users u on u.id = w.subject_id and u.district_id = %(district)s
  where w.district_id = %(district)s and w.kind = 'role_drift' and w.id = any(%(items)s::bigint[])
    and w.resolved_at is null
    and w.detail -> 'source_roles' ->> 0 in ('teacher', 'school_admin', 'district_admin', 'student')
  for update of w
), changed as (
  update portal.users u set role = c.new_role, updated_at = now() from chosen c where u.id = c.user_id
)
update sync.worklist w set resolved_at = now(), resolved_by = %(who)s, resolution = 'role_taken',
  detail = w.detail || jsonb_build_object('from', c.old_role, 'to', c.new_role)
from chosen c where w.id = c.id;
