-- The references of enrollments and user_schools, held by statement triggers instead of foreign keys.
-- A foreign key asks once per row and reference: on 480,000 enrolments 3.9 s of 6.1 s (PostgreSQL 18.4). The same
-- promise per statement costs a tenth: the referenced rows are locked FOR KEY SHARE just as a foreign key would, and a
-- delete takes its dependants along. See docs/adr/0004-set-based-references.md.

create function portal.check_enrollment_references() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
declare
  found bigint;
begin
  select count(*) into found from (
    select 1 from portal.users u where u.id in (select n.user_id from new_rows n) for key share of u) locked;
  if found <> (select count(distinct n.user_id) from new_rows n) then
    raise foreign_key_violation using message = 'an enrolment names a user that does not exist';
  end if;
  select count(*) into found from (
    select 1 from portal.classes c where (c.id, c.district_id) in (select n.class_id, n.district_id from new_rows n) for key share of c) locked;
  if found <> (select count(distinct n.class_id) from new_rows n) then
    raise foreign_key_violation using message = 'an enrolment names a class that does not exist in its district';
  end if;
  return null;
end
$$;
create trigger enrollments_insert_references after insert on portal.enrollments
  referencing new table as new_rows for each statement execute function portal.check_enrollment_references();
create function portal.forbid_key_change() returns trigger language plpgsql as $$
begin
  raise exception 'the keys of % are not changed: insert the right row and delete the wrong one', tg_table_name;
end
$$;
create trigger enrollments_keys_stay before update of class_id, user_id on portal.enrollments
  for each row when (old.class_id <> new.class_id or old.user_id <> new.user_id)
  execute function portal.forbid_key_change();

create function portal.check_user_school_references() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
declare
  found bigint;
begin
  select count(*) into found from (
    select 1 from portal.users u where u.id in (select n.user_id from new_rows n) for key share of u) locked;
  if found <> (select count(distinct n.user_id) from new_rows n) then
    raise foreign_key_violation using message = 'a school membership names a user that does not exist';
  end if;
  select count(*) into found from (
    select 1 from portal.schools s where s.id in (select n.school_id from new_rows n) for key share of s) locked;
  if found <> (select count(distinct n.school_id) from new_rows n) then
    raise foreign_key_violation using message = 'a school membership names a school that does not exist';
  end if;
  return null;
end
$$;
create trigger user_schools_insert_references after insert on portal.user_schools
  referencing new table as new_rows for each statement execute function portal.check_user_school_references();
create trigger user_schools_keys_stay before update of user_id, school_id on portal.user_schools
  for each row when (old.user_id <> new.user_id or old.school_id <> new.school_id)
  execute function portal.forbid_key_change();

create function portal.cascade_users() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  delete from portal.enrollments e using old_rows o where e.user_id = o.id;
  delete from portal.user_schools us using old_rows o where us.user_id = o.id;
  return null;
end
$$;
create trigger users_delete_dependants after delete on portal.users
  referencing old table as old_rows for each statement execute function portal.cascade_users();

create function portal.cascade_classes() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  delete from portal.enrollments e using old_rows o where e.class_id = o.id;
  return null;
end
$$;
create trigger classes_delete_dependants after delete on portal.classes
  referencing old table as old_rows for each statement execute function portal.cascade_classes();

create function portal.cascade_schools() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  delete from portal.user_schools us using old_rows o where us.school_id = o.id;
  return null;
end
$$;
create trigger schools_delete_dependants after delete on portal.schools
  referencing old table as old_rows for each statement execute function portal.cascade_schools();
