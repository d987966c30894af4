-- What a plan needs to know of its run and district (planning/context.py). A run that was undone has brought
-- nothing: what it asked is asked again. is_staged: what came is still there. Staging is unlogged, so after a crash
-- or failover of the server it is empty.
-- In: run_id.
-- Out: one row, or none where nobody knows the run.
select to_regclass('staging.users_' || r.id) is not null and not exists (
    select from sync.run_counts n
    where n.run_id = r.id and n.received > n.rejected and case
      when n.entity = 'schools' then not exists (select from staging.schools where run_id = %(run_id)s)
      when n.entity in ('teachers', 'students', 'admins') then not exists (select from staging.users
        where run_id = %(run_id)s)
      when n.entity = 'classes' then not exists (select from staging.classes where run_id = %(run_id)s)
      when n.entity = 'enrollments' then not exists (select from staging.enrollments where run_id = %(run_id)s)
        and not exists (select from staging.unusual_enrollments where run_id = %(run_id)s) end) as is_staged,
          r.district_id, r.mode, r.issuer, r.parameters, r.proof, s.school_mode, s.expires_on,
  exists (select from sync.runs o
    where o.district_id = r.district_id and o.id <> r.id and o.wrote_at is not null) as has_written_before,
  exists (select from sync.runs o
    where o.district_id = r.district_id and o.id <> r.id and o.wrote_at is not null and o.mode <> 'undo'
      and o.status <> 'undone' and o.issuer <> r.issuer)
    and not exists (select from sync.runs o
      where o.district_id = r.district_id and o.id <> r.id and o.wrote_at is not null and o.mode <> 'undo'
        and o.status <> 'undone' and o.issuer = r.issuer)
    as is_first_of_issuer
from sync.runs r join sync.settings s on s.district_id = r.district_id
where r.id = %(run_id)s;
