-- Checks that the person and the school of a membership exist, and stay until the transaction ends. Only for rows that
-- people make: what a run adds is checked once, as a set (docs/adr/0004-set-based-references.md).
create or replace function portal.check_user_school_references() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  perform 1 from portal.users u where u.id = new.user_id for key share;
  if not found then
    raise foreign_key_violation using message = 'a school membership names a user that does not exist';
  end if;
  perform 1 from portal.schools s where s.id = new.school_id for key share;
  if not found then
    raise foreign_key_violation using message = 'a school membership names a school that does not exist';
  end if;
  return null;
end
$$;
comment on function portal.check_user_school_references is
  'Trigger: refuses a membership whose person or school does not exist, and locks both rows as a foreign key would.';

create or replace trigger user_schools_insert_references after insert on portal.user_schools
  for each row when (new.origin <> 'sync') execute function portal.check_user_school_references();
