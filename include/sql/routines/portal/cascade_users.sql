-- Deletes the enrollments and school memberships of deleted people, as a foreign key with ON DELETE CASCADE would.
-- One statement for all of them: see docs/adr/0004-set-based-references.md.
create or replace function portal.cascade_users() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  delete from portal.enrollments e using old_rows o where e.user_id = o.id;
  delete from portal.user_schools us using old_rows o where us.user_id = o.id;
  return null;
end
$$;
comment on function portal.cascade_users is
  'Trigger: deletes the enrollments and school memberships of deleted people.';

create or replace trigger users_delete_dependents after delete on portal.users
  referencing old table as old_rows for each statement execute function portal.cascade_users();
