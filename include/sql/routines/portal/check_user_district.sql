-- Checks that the district of a person exists, and stays until the transaction ends. Only for people made by hand: the
-- record of a run already holds its own district.
create or replace function portal.check_user_district() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  perform 1 from portal.districts d where d.id = new.district_id for key share;
  if not found then
    raise foreign_key_violation using message = 'a user names a district that does not exist';
  end if;
  return null;
end
$$;
comment on function portal.check_user_district is
  'Trigger: refuses a person whose district does not exist, and locks its row as a foreign key would.';

create or replace trigger users_insert_references after insert on portal.users
  for each row when (new.origin <> 'sync') execute function portal.check_user_district();
