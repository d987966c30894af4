-- The references of what the sync writes are held by the sync's own statements. See docs/adr/0004-set-based-references.md.
-- A trigger with a transition table copies every row that a statement inserts, and the rows of a first load are half a million:
-- 0.5 s of 1.8 s (PostgreSQL 18.4). So a row that people make is looked at alone, as a foreign key would, and what a run adds
-- is held once, as a set: apply/references.sql, and portal.hold_references_of where sync.changes names the rows.
drop trigger enrollments_insert_references on portal.enrollments;
drop trigger user_schools_insert_references on portal.user_schools;
drop trigger users_insert_references on portal.users;
drop function portal.check_enrollment_references();
drop function portal.check_user_school_references();
drop function portal.check_user_districts();

create function portal.hold_enrollment_references() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  perform 1 from portal.users u where u.id = new.user_id for key share;
  if not found then
    raise foreign_key_violation using message = 'an enrolment names a user that does not exist';
  end if;
  perform 1 from portal.classes c where c.id = new.class_id and c.district_id = new.district_id for key share;
  if not found then
    raise foreign_key_violation using message = 'an enrolment names a class that does not exist in its district';
  end if;
  return null;
end
$$;
create trigger enrollments_insert_references after insert on portal.enrollments
  for each row when (new.origin <> 'sync') execute function portal.hold_enrollment_references();

create function portal.hold_user_school_references() returns trigger
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
create trigger user_schools_insert_references after insert on portal.user_schools
  for each row when (new.origin <> 'sync') execute function portal.hold_user_school_references();

-- A run's own district is held by its record; whoever else makes a person names one that exists.
create function portal.hold_user_district() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  perform 1 from portal.districts d where d.id = new.district_id for key share;
  if not found then
    raise foreign_key_violation using message = 'a user names a district that does not exist';
  end if;
  return null;
end
$$;
create trigger users_insert_references after insert on portal.users
  for each row when (new.origin <> 'sync') execute function portal.hold_user_district();

-- For an undo and a merge: whatever the enrolments and memberships name that sync.changes says this run has put in stays.
create function portal.hold_references_of(run bigint) returns void
language plpgsql security definer set search_path = portal, pg_temp as $$
declare
  mine constant xid := pg_current_xact_id()::xid; -- what this transaction made, nobody else can delete before it is committed
  is_dangling boolean;
begin
  create temporary table named_by_run on commit drop as
  select distinct k.what, (c.key ->> (k.what || '_id'))::bigint as id
  from sync.changes c cross join (values ('user'), ('class'), ('school')) k (what)
  where c.run_id = run and c.action = 'insert' and c.table_name in ('enrollments', 'user_schools') and c.key ? (k.what || '_id');
  analyze named_by_run;
  perform 1 from portal.users u where u.xmin <> mine and u.id in (select n.id from named_by_run n where n.what = 'user') for key share of u;
  perform 1 from portal.classes c where c.xmin <> mine and c.id in (select n.id from named_by_run n where n.what = 'class') for key share of c;
  perform 1 from portal.schools s where s.xmin <> mine and s.id in (select n.id from named_by_run n where n.what = 'school') for key share of s;
  select exists (
    select from named_by_run n
    left join portal.users u on n.what = 'user' and u.id = n.id
    left join portal.classes c on n.what = 'class' and c.id = n.id
    left join portal.schools s on n.what = 'school' and s.id = n.id
    where coalesce(u.id, c.id, s.id) is null)
  into is_dangling;
  drop table named_by_run;
  if is_dangling then
    raise foreign_key_violation using message = 'an enrolment or a school membership names what is no longer there';
  end if;
end
$$;
revoke all on function portal.hold_references_of(bigint) from public;
grant execute on function portal.hold_references_of(bigint) to roster_edit, roster_reset, roster_undo;
