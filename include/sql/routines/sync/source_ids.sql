-- Every id that a row is or was known by: the present ones are in the portal's rows, the others in sync.former_ids.
-- An id that is in both is the row's. A look-up by id or by row uses the indexes of each part.
-- See docs/adr/0013-ids-are-read-from-the-rows.md.
create view sync.source_ids as
select p.district_id, p.issuer, 'schools' as entity, p.source_id, p.id as row_id,
  sync.id_since('schools', p.district_id, p.issuer, p.source_id, p.id, p.created_run_id) as first_seen_run_id,
  p.updated_run_id as last_seen_run_id
from portal.schools p where p.issuer is not null and p.source_id is not null
union all
select p.district_id, p.issuer, 'users', p.source_id, p.id,
  sync.id_since('users', p.district_id, p.issuer, p.source_id, p.id, p.created_run_id), p.updated_run_id
from portal.users p where p.issuer is not null and p.source_id is not null
union all
select p.district_id, p.issuer, 'classes', p.source_id, p.id,
  sync.id_since('classes', p.district_id, p.issuer, p.source_id, p.id, p.created_run_id), p.updated_run_id
from portal.classes p where p.issuer is not null and p.source_id is not null
union all
select f.district_id, f.issuer, f.entity, f.source_id, f.row_id, f.first_seen_run_id, f.last_seen_run_id
from sync.former_ids f
where case f.entity
  when 'schools' then not exists (
    select from portal.schools p
    where p.district_id = f.district_id and p.issuer = f.issuer and p.source_id = f.source_id)
  when 'users' then not exists (
    select from portal.users p
    where p.district_id = f.district_id and p.issuer = f.issuer and p.source_id = f.source_id)
  else not exists (
    select from portal.classes p
    where p.district_id = f.district_id and p.issuer = f.issuer and p.source_id = f.source_id) end;
comment on view sync.source_ids is 'Every source id that a school, person or class of the portal is or was known by.';
grant select on sync.source_ids to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
