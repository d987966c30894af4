-- Refuses to delete a school that classes name, as a foreign key would.
create or replace function portal.restrict_school_delete() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  if exists (select from portal.classes c where c.school_id in (select o.id from old_rows o)) then
    raise foreign_key_violation using message = 'a school that has classes is not deleted';
  end if;
  return null;
end
$$;
comment on function portal.restrict_school_delete is 'Trigger: refuses to delete a school that has classes.';

create or replace trigger schools_delete_restricted after delete on portal.schools
  referencing old table as old_rows for each statement execute function portal.restrict_school_delete();
