-- Deletes the school memberships of deleted schools, as a foreign key with ON DELETE CASCADE would.
-- One statement for all of them: see docs/adr/0004-set-based-references.md.
create or replace function portal.cascade_schools() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  delete from portal.user_schools us using old_rows o where us.school_id = o.id;
  return null;
end
$$;
comment on function portal.cascade_schools is 'Trigger: deletes the school memberships of deleted schools.';

create or replace trigger schools_delete_dependents after delete on portal.schools
  referencing old table as old_rows for each statement execute function portal.cascade_schools();
