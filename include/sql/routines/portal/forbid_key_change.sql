-- Refuses a change of a key: rows of other tables name them without a foreign key that would follow.
create or replace function portal.forbid_key_change() returns trigger language plpgsql as $$
begin
  raise exception 'the keys of % are not changed: insert the right row and delete the wrong one', tg_table_name;
end
$$;
comment on function portal.forbid_key_change is 'Trigger: refuses to change the key of a row.';

create or replace trigger schools_forbid_key_change before update of id on portal.schools
  for each row when (old.id <> new.id) execute function portal.forbid_key_change();
create or replace trigger classes_forbid_key_change before update of id on portal.classes
  for each row when (old.id <> new.id) execute function portal.forbid_key_change();
create or replace trigger users_forbid_key_change before update of id, district_id on portal.users
  for each row when (old.id <> new.id or old.district_id <> new.district_id)
  execute function portal.forbid_key_change();
create or replace trigger enrollments_forbid_key_change before update of class_id, user_id on portal.enrollments
  for each row when (old.class_id <> new.class_id or old.user_id <> new.user_id)
  execute function portal.forbid_key_change();
create or replace trigger user_schools_forbid_key_change before update of user_id, school_id on portal.user_schools
  for each row when (old.user_id <> new.user_id or old.school_id <> new.school_id)
  execute function portal.forbid_key_change();
