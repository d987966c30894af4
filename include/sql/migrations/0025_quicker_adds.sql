-- What a first load writes for every person and enrolment costs less. See docs/adr/0013-ids-are-read-from-the-rows.md.

-- A role's place, as a number: two texts that are the same cost a comparison as long as they are, two numbers next to nothing.
create function portal.role_place(role text) returns integer
language sql immutable parallel safe
return case role when 'student' then 0 when 'teacher' then 1 when 'school_admin' then 2 else 3 end;
-- A SIS id is looked up by people, one at a time. A place at the end of the names' index serves that: it is read through for the district
-- and role (0.06 s among 950,000 people). An index of its own cost a load 0.12 s of 5.8 s (100,000 people, PostgreSQL 18.4).
drop index portal.users_sis_idx;
drop index portal.users_page_idx;
create index users_page_idx on portal.users (district_id, (portal.role_place(role)), (coalesce(lower(family_name), '') collate "C"),
  (coalesce(lower(given_name), '') collate "C"), (left(lower(sis_id), 100)));
-- No id: those of one name are few, and put in order when they are read. Of the SIS id what lets two long names stand beside it: a row of an
-- index takes 2,700 bytes.

-- The same rule, asked of each new row in the order of what is likely: a list is looked through by another, dearer way.
alter table portal.enrollments
  drop constraint enrollments_role_check, add constraint enrollments_role_check check (role = 'student' or role = 'teacher'),
  drop constraint enrollments_origin_check, add constraint enrollments_origin_check check (origin = 'sync' or origin = 'manual');

-- The references of classes, as those of people and enrolments (0018): a foreign key asked twice for every class of a first load.
alter table portal.classes drop constraint classes_school_id_fkey, drop constraint classes_district_id_fkey;
create function portal.hold_class_references() returns trigger
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
create trigger classes_insert_references after insert on portal.classes
  for each row when (new.origin <> 'sync') execute function portal.hold_class_references();
create trigger classes_move_references after update of school_id, district_id on portal.classes -- a run's too: few classes move
  for each row when (old.school_id <> new.school_id or old.district_id <> new.district_id) execute function portal.hold_class_references();

-- No key of any is changed: what names it would name nothing.
create trigger schools_ids_stay before update of id on portal.schools
  for each row when (old.id <> new.id) execute function portal.forbid_key_change();
create trigger classes_ids_stay before update of id on portal.classes
  for each row when (old.id <> new.id) execute function portal.forbid_key_change();
create trigger users_ids_stay before update of id on portal.users
  for each row when (old.id <> new.id) execute function portal.forbid_key_change();

create function portal.keep_schools_with_classes() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  if exists (select from portal.classes c where c.school_id in (select o.id from old_rows o)) then
    raise foreign_key_violation using message = 'a school that has classes is not deleted';
  end if;
  return null;
end
$$;
create trigger schools_delete_restricted after delete on portal.schools
  referencing old table as old_rows for each statement execute function portal.keep_schools_with_classes();
create or replace function portal.keep_districts_with_users() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
begin
  if exists (select from portal.users u where u.district_id in (select o.id from old_rows o))
    or exists (select from portal.classes c where c.district_id in (select o.id from old_rows o)) then
    raise foreign_key_violation using message = 'a district that has users or classes is not deleted';
  end if;
  return null;
end
$$;

-- As 0018 has it, and what the classes name that an undo puts back.
create or replace function portal.hold_references_of(run bigint) returns void
language plpgsql security definer set search_path = portal, pg_temp as $$
declare
  mine constant xid := pg_current_xact_id()::xid; -- what this transaction made, nobody else can delete before it is committed
  is_dangling boolean;
begin
  create temporary table named_by_run on commit drop as
  select distinct k.what, (c.key ->> (k.what || '_id'))::bigint as id
  from sync.changes c cross join (values ('user'), ('class'), ('school')) k (what)
  where c.run_id = run and c.action = 'insert' and c.table_name in ('enrollments', 'user_schools') and c.key ? (k.what || '_id')
  union
  select 'school', (c.after ->> 'school_id')::bigint
  from sync.changes c where c.run_id = run and c.action = 'insert' and c.table_name = 'classes';
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
    raise foreign_key_violation using message = 'a class, an enrolment or a school membership names what is no longer there';
  end if;
end
$$;

-- Of people who are simply new: where they are listed. Their memberships are then read off, not looked up again.
alter table staging.resolved add column school_id bigint, add column is_primary boolean;
-- As 0021 has it, with these two.
create or replace function staging.name_users(run bigint, district bigint, by_issuer text, listed text[], listed_ids bigint[], known bigint[], good bigint[])
returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  in_many constant bigint[] := array(
    select us.user_id from portal.user_schools us where us.school_id = any (known) group by us.user_id having count(*) > 1);
begin
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select %2$s::bigint as run_id, 'users' as entity, d.source_id, d.n, d.id as row_id, 'key' as how, false as is_gone, d.is_same,
      (d.is_same and d.is_as_it_was and us.is_active and us.origin = 'sync' and us.school_id = any ($4) and d.id <> all ($5)
        and us.is_primary = (d.first_school is not distinct from d.primary_school_source_id)) is true as is_plain,
      d.role, null::bigint as school_id, null::boolean as is_primary
    from (
      select s.source_id, s.n, p.id, p.role, s.school_source_ids[1] as first_school, s.primary_school_source_id,
        s.keep = '{}' and s.given_name is not distinct from p.given_name and s.family_name is not distinct from p.family_name
          and s.email is not distinct from p.email and s.username is not distinct from p.username
          and s.grade is not distinct from p.grade and s.sis_id is not distinct from p.sis_id
          and (s.state_id is null or s.state_id is not distinct from p.state_id)
          and (s.is_enabled is null or (s.is_enabled = p.is_enabled and s.is_enabled is not distinct from p.is_enabled_at_source)) as is_same,
        p.is_shared and p.origin = 'sync' and s.status = 'active' and not s.is_rejected and p.role = any (s.roles)
          and cardinality(s.school_source_ids) = 1 as is_as_it_was
      from staging.%3$I s
      join portal.users p on p.district_id = %4$s and p.source_id = s.source_id and p.issuer = $1) d
    left join unnest($2, $3) i (source_id, id) on i.source_id = d.first_school
    left join portal.user_schools us on us.user_id = d.id and us.school_id = i.id
    $made$, 'made_resolved_' || run, run, 'users_' || run || '_rows', district)
  using by_issuer, listed, listed_ids, good, in_many;
  perform staging.exchange_part('resolved_' || run, 'users', 'made_resolved_' || run, 'users');
end
$$;
