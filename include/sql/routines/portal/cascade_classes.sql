-- Deletes the enrollments of deleted classes, as a foreign key with ON DELETE CASCADE would.
-- One statement for all of them: see docs/adr/0004-set-based-references.md.
create or replace function portal.cascade_classes() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  delete from portal.enrollments e using old_rows o where e.class_id = o.id;
  return null;
end
$$;
comment on function portal.cascade_classes is 'Trigger: deletes the enrollments of deleted classes.';

create or replace trigger classes_delete_dependents after delete on portal.classes
  referencing old table as old_rows for each statement execute function portal.cascade_classes();
