-- Refuses to delete a district that people or classes name, as a foreign key would.
create or replace function portal.restrict_district_delete() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  if exists (select from portal.users u where u.district_id in (select o.id from old_rows o))
    or exists (select from portal.classes c where c.district_id in (select o.id from old_rows o)) then
    raise foreign_key_violation using message = 'a district that has users or classes is not deleted';
  end if;
  return null;
end
$$;
comment on function portal.restrict_district_delete is
  'Trigger: refuses to delete a district that has people or classes.';

create or replace trigger districts_delete_restricted after delete on portal.districts
  referencing old table as old_rows for each statement execute function portal.restrict_district_delete();
