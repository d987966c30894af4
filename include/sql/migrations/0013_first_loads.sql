-- What a first load would write for nothing. See docs/adr/0013-ids-are-read-from-the-rows.md.

-- The ids that rows bear stand in their rows already; only those that a row no longer bears are kept beside them. The portal's
-- triggers see to it, whoever changes or deletes a row. An id that a row bears again may stand here too: the row counts.
alter table sync.source_ids rename to former_ids;
alter table sync.former_ids rename constraint source_ids_pkey to former_ids_pkey;
alter index sync.source_ids_row rename to former_ids_row;
alter table sync.former_ids add column left_run_id bigint; -- the run by which the row got another id, where that is known
comment on column sync.former_ids.last_seen_run_id is 'the last run that did something with the row under this id';

-- Kept: when a row first had the id that it has, where that is not when the row was made.
delete from sync.former_ids i using portal.schools p
where i.entity = 'schools' and p.id = i.row_id and p.district_id = i.district_id and p.issuer = i.issuer
  and p.source_id = i.source_id and p.created_run_id is not distinct from i.first_seen_run_id;
delete from sync.former_ids i using portal.users p
where i.entity = 'users' and p.id = i.row_id and p.district_id = i.district_id and p.issuer = i.issuer
  and p.source_id = i.source_id and p.created_run_id is not distinct from i.first_seen_run_id;
delete from sync.former_ids i using portal.classes p
where i.entity = 'classes' and p.id = i.row_id and p.district_id = i.district_id and p.issuer = i.issuer
  and p.source_id = i.source_id and p.created_run_id is not distinct from i.first_seen_run_id;

-- Since when a row has the id that it has: it may have had it before; else since it left another; else from the start.
create function sync.id_since(wanted_entity text, district bigint, wanted_issuer text, wanted_id text, row_id bigint, made bigint)
returns bigint language sql stable as $$
  select coalesce(
    (select f.first_seen_run_id from sync.former_ids f
     where f.district_id = district and f.issuer = wanted_issuer and f.entity = wanted_entity and f.source_id = wanted_id
       and f.row_id = id_since.row_id),
    (select max(f.left_run_id) from sync.former_ids f where f.entity = wanted_entity and f.row_id = id_since.row_id),
    made)
$$;

-- Every id that a row is or was known by. A look-up by id or by row finds its way through the indexes of each part.
create view sync.source_ids as
select p.district_id, p.issuer, 'schools' as entity, p.source_id, p.id as row_id,
  sync.id_since('schools', p.district_id, p.issuer, p.source_id, p.id, p.created_run_id) as first_seen_run_id,
  p.updated_run_id as last_seen_run_id
from portal.schools p where p.issuer is not null and p.source_id is not null
union all
select p.district_id, p.issuer, 'users', p.source_id, p.id,
  sync.id_since('users', p.district_id, p.issuer, p.source_id, p.id, p.created_run_id), p.updated_run_id
from portal.users p where p.issuer is not null and p.source_id is not null
union all
select p.district_id, p.issuer, 'classes', p.source_id, p.id,
  sync.id_since('classes', p.district_id, p.issuer, p.source_id, p.id, p.created_run_id), p.updated_run_id
from portal.classes p where p.issuer is not null and p.source_id is not null
union all
select f.district_id, f.issuer, f.entity, f.source_id, f.row_id, f.first_seen_run_id, f.last_seen_run_id
from sync.former_ids f
where case f.entity
  when 'schools' then not exists (
    select from portal.schools p where p.district_id = f.district_id and p.issuer = f.issuer and p.source_id = f.source_id)
  when 'users' then not exists (
    select from portal.users p where p.district_id = f.district_id and p.issuer = f.issuer and p.source_id = f.source_id)
  else not exists (
    select from portal.classes p where p.district_id = f.district_id and p.issuer = f.issuer and p.source_id = f.source_id) end;
grant select on sync.source_ids to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;

-- An id that a row had: the newest row that had it is who is meant.
create function sync.keep_former_id() returns trigger
language plpgsql security definer set search_path = sync, pg_temp as $$
begin
  insert into sync.former_ids as f (district_id, issuer, entity, source_id, row_id, first_seen_run_id, last_seen_run_id, left_run_id)
  values (old.district_id, old.issuer, tg_argv[0], old.source_id, old.id,
    sync.id_since(tg_argv[0], old.district_id, old.issuer, old.source_id, old.id, old.created_run_id), old.updated_run_id,
    new.updated_run_id)
  on conflict (district_id, issuer, entity, source_id) do update
  set row_id = excluded.row_id, first_seen_run_id = excluded.first_seen_run_id, last_seen_run_id = excluded.last_seen_run_id,
    left_run_id = excluded.left_run_id;
  return null;
end
$$;
create trigger schools_former_id after update of issuer, source_id on portal.schools for each row
  when (old.issuer is not null and old.source_id is not null
    and (old.source_id is distinct from new.source_id or old.issuer is distinct from new.issuer))
  execute function sync.keep_former_id('schools');
create trigger users_former_id after update of issuer, source_id on portal.users for each row
  when (old.issuer is not null and old.source_id is not null
    and (old.source_id is distinct from new.source_id or old.issuer is distinct from new.issuer))
  execute function sync.keep_former_id('users');
create trigger classes_former_id after update of issuer, source_id on portal.classes for each row
  when (old.issuer is not null and old.source_id is not null
    and (old.source_id is distinct from new.source_id or old.issuer is distinct from new.issuer))
  execute function sync.keep_former_id('classes');

create function sync.keep_ids_of_deleted() returns trigger
language plpgsql security definer set search_path = sync, pg_temp as $$
begin
  insert into sync.former_ids as f (district_id, issuer, entity, source_id, row_id, first_seen_run_id, last_seen_run_id)
  select o.district_id, o.issuer, tg_argv[0], o.source_id, o.id,
    sync.id_since(tg_argv[0], o.district_id, o.issuer, o.source_id, o.id, o.created_run_id), o.updated_run_id
  from old_rows o where o.issuer is not null and o.source_id is not null
  on conflict (district_id, issuer, entity, source_id) do update
  set row_id = excluded.row_id, first_seen_run_id = excluded.first_seen_run_id, last_seen_run_id = excluded.last_seen_run_id,
    left_run_id = null;
  return null;
end
$$;
create trigger schools_ids_of_deleted after delete on portal.schools
  referencing old table as old_rows for each statement execute function sync.keep_ids_of_deleted('schools');
create trigger users_ids_of_deleted after delete on portal.users
  referencing old table as old_rows for each statement execute function sync.keep_ids_of_deleted('users');
create trigger classes_ids_of_deleted after delete on portal.classes
  referencing old table as old_rows for each statement execute function sync.keep_ids_of_deleted('classes');

-- The references of a whole statement in one pass over its rows (0003 made two). Only where a row names something that this
-- transaction did not make itself are they locked and looked at one by one.
create or replace function portal.check_enrollment_references() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
declare
  mine constant xid := pg_current_xact_id()::xid;
  user_others bigint; -- rows that name something not made by this transaction, or nothing at all; counted, as EXISTS would
  class_others bigint; -- make the planner hope for an early end and probe row by row
begin
  select count(*) filter (where u.xmin is distinct from mine), count(*) filter (where c.xmin is distinct from mine)
  into user_others, class_others
  from new_rows n left join portal.users u on u.id = n.user_id
  left join portal.classes c on c.id = n.class_id and c.district_id = n.district_id;
  if user_others > 0 then
    perform 1 from portal.users u where u.id in (select n.user_id from new_rows n) for key share of u;
    select count(*) into user_others from new_rows n left join portal.users u on u.id = n.user_id where u.id is null;
    if user_others > 0 then
      raise foreign_key_violation using message = 'an enrolment names a user that does not exist';
    end if;
  end if;
  if class_others > 0 then
    perform 1 from portal.classes c where c.id in (select n.class_id from new_rows n) for key share of c;
    select count(*) into class_others
    from new_rows n left join portal.classes c on c.id = n.class_id and c.district_id = n.district_id where c.id is null;
    if class_others > 0 then
      raise foreign_key_violation using message = 'an enrolment names a class that does not exist in its district';
    end if;
  end if;
  return null;
end
$$;

create or replace function portal.check_user_school_references() returns trigger
language plpgsql security definer set search_path = portal, pg_temp as $$
declare
  mine constant xid := pg_current_xact_id()::xid;
  user_others bigint; -- as above
  school_others bigint;
begin
  select count(*) filter (where u.xmin is distinct from mine), count(*) filter (where s.xmin is distinct from mine)
  into user_others, school_others
  from new_rows n left join portal.users u on u.id = n.user_id left join portal.schools s on s.id = n.school_id;
  if user_others > 0 then
    perform 1 from portal.users u where u.id in (select n.user_id from new_rows n) for key share of u;
    select count(*) into user_others from new_rows n left join portal.users u on u.id = n.user_id where u.id is null;
    if user_others > 0 then
      raise foreign_key_violation using message = 'a school membership names a user that does not exist';
    end if;
  end if;
  if school_others > 0 then
    perform 1 from portal.schools s where s.id in (select n.school_id from new_rows n) for key share of s;
    select count(*) into school_others from new_rows n left join portal.schools s on s.id = n.school_id where s.id is null;
    if school_others > 0 then
      raise foreign_key_violation using message = 'a school membership names a school that does not exist';
    end if;
  end if;
  return null;
end
$$;

-- A given name alone is looked for in users_page_idx, past its first part (0.07 s in 950,000 people): an index of its own
-- would cost every first load more than all such look-ups of a day.
drop index portal.users_given_idx;
