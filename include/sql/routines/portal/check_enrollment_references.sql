-- Checks that the person and the class of an enrollment exist, and stay until the transaction ends. Only for rows that
-- people make: what a run adds is checked once, as a set (docs/adr/0004-set-based-references.md).
create or replace function portal.check_enrollment_references() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  perform 1 from portal.users u where u.id = new.user_id for key share;
  if not found then
    raise foreign_key_violation using message = 'an enrollment names a user that does not exist';
  end if;
  perform 1 from portal.classes c where c.id = new.class_id and c.district_id = new.district_id for key share;
  if not found then
    raise foreign_key_violation using message = 'an enrollment names a class that does not exist in its district';
  end if;
  return null;
end
$$;
comment on function portal.check_enrollment_references is
  'Trigger: refuses an enrollment whose person or class does not exist, and locks both rows as a foreign key would.';

create or replace trigger enrollments_insert_references after insert on portal.enrollments
  for each row when (new.origin <> 'sync') execute function portal.check_enrollment_references();
