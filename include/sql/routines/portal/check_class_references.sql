-- Checks that the school and the district of a class exist, and stay until the transaction ends. For classes that
-- people make, and for every class that moves; what a run adds is checked once, as a set
-- (docs/adr/0004-set-based-references.md).
create or replace function portal.check_class_references() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  perform 1 from portal.schools s where s.id = new.school_id for key share;
  if not found then
    raise foreign_key_violation using message = 'a class names a school that does not exist';
  end if;
  perform 1 from portal.districts d where d.id = new.district_id for key share;
  if not found then
    raise foreign_key_violation using message = 'a class names a district that does not exist';
  end if;
  return null;
end
$$;
comment on function portal.check_class_references is
  'Trigger: refuses a class whose school or district does not exist, and locks both rows as a foreign key would.';

create or replace trigger classes_insert_references after insert on portal.classes
  for each row when (new.origin <> 'sync') execute function portal.check_class_references();
-- a run's classes too: few classes move
create or replace trigger classes_move_references after update of school_id, district_id on portal.classes
  for each row when (old.school_id <> new.school_id or old.district_id <> new.district_id)
  execute function portal.check_class_references();
