-- The references of enrollments, user_schools and users, held by statement triggers instead of foreign keys.
-- A foreign key asks once per row and reference: on 480,000 enrolments 3.9 s of 6.1 s (PostgreSQL 18.4). The same
-- promise per statement costs a tenth: the referenced rows are locked FOR KEY SHARE just as a foreign key would, and a
-- delete takes its dependants along. See docs/adr/0004-set-based-references.md.
-- A row that this very transaction inserted is not locked: nobody else can see it, let alone delete it before the commit,
-- and on a first load the locks would write every person a second time.

create function portal.check_enrollment_references() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
declare
  mine constant xid := pg_current_xact_id()::xid;
  others bigint; -- rows that name something not made by this transaction, or nothing at all; counted, as EXISTS would
  -- make the planner hope for an early end and probe row by row
begin
  select count(*) into others from new_rows n left join portal.users u on u.id = n.user_id
    where u.xmin is distinct from mine;
  if others > 0 then
    perform 1 from portal.users u where u.id in (select n.user_id from new_rows n) for key share of u;
    select count(*) into others from new_rows n left join portal.users u on u.id = n.user_id where u.id is null;
    if others > 0 then
      raise foreign_key_violation using message = 'an enrolment names a user that does not exist';
    end if;
  end if;
  select count(*) into others from new_rows n left join portal.classes c on c.id = n.class_id and c.district_id = n.district_id
    where c.xmin is distinct from mine;
  if others > 0 then
    perform 1 from portal.classes c where c.id in (select n.class_id from new_rows n) for key share of c;
    select count(*) into others from new_rows n left join portal.classes c on c.id = n.class_id and c.district_id = n.district_id where c.id is null;
    if others > 0 then
      raise foreign_key_violation using message = 'an enrolment names a class that does not exist in its district';
    end if;
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
  mine constant xid := pg_current_xact_id()::xid;
  others bigint; -- rows that name something not made by this transaction, or nothing at all; counted, as EXISTS would
  -- make the planner hope for an early end and probe row by row
begin
  select count(*) into others from new_rows n left join portal.users u on u.id = n.user_id
    where u.xmin is distinct from mine;
  if others > 0 then
    perform 1 from portal.users u where u.id in (select n.user_id from new_rows n) for key share of u;
    select count(*) into others from new_rows n left join portal.users u on u.id = n.user_id where u.id is null;
    if others > 0 then
      raise foreign_key_violation using message = 'a school membership names a user that does not exist';
    end if;
  end if;
  select count(*) into others from new_rows n left join portal.schools s on s.id = n.school_id
    where s.xmin is distinct from mine;
  if others > 0 then
    perform 1 from portal.schools s where s.id in (select n.school_id from new_rows n) for key share of s;
    select count(*) into others from new_rows n left join portal.schools s on s.id = n.school_id where s.id is null;
    if others > 0 then
      raise foreign_key_violation using message = 'a school membership names a school that does not exist';
    end if;
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

-- A person's district is one row for all of a load: looked up once a statement instead of once a person.
create function portal.check_user_districts() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  perform 1 from portal.districts d where d.id in (select n.district_id from new_rows n) for key share of d;
  if exists (select from (select distinct n.district_id from new_rows n) w
             left join portal.districts d on d.id = w.district_id where d.id is null) then
    raise foreign_key_violation using message = 'a user names a district that does not exist';
  end if;
  return null;
end
$$;
create trigger users_insert_references after insert on portal.users
  referencing new table as new_rows for each statement execute function portal.check_user_districts();
create trigger users_keys_stay before update of district_id on portal.users
  for each row when (old.district_id <> new.district_id)
  execute function portal.forbid_key_change();
create function portal.keep_districts_with_users() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  if exists (select from portal.users u where u.district_id in (select o.id from old_rows o)) then
    raise foreign_key_violation using message = 'a district that has users is not deleted';
  end if;
  return null;
end
$$;
create trigger districts_delete_restricted after delete on portal.districts
  referencing old table as old_rows for each statement execute function portal.keep_districts_with_users();
