-- Records the ids of deleted rows, so that an undo gives a returning id the row that it had.
-- Trigger argument: schools, users or classes.
create or replace function sync.record_deleted_ids() returns trigger
language plpgsql security definer set search_path = sync, pg_temp as $$
begin
  insert into sync.former_ids as f (
    district_id, issuer, entity, source_id, row_id, first_seen_run_id, last_seen_run_id)
  select o.district_id, o.issuer, tg_argv[0], o.source_id, o.id,
    sync.id_since(tg_argv[0], o.district_id, o.issuer, o.source_id, o.id, o.created_run_id), o.updated_run_id
  from old_rows o where o.issuer is not null and o.source_id is not null
  on conflict (district_id, issuer, entity, source_id) do update
  set row_id = excluded.row_id, first_seen_run_id = excluded.first_seen_run_id,
    last_seen_run_id = excluded.last_seen_run_id, left_run_id = null;
  return null;
end
$$;
comment on function sync.record_deleted_ids is 'Trigger: records the source ids of deleted rows.';

create or replace trigger schools_ids_of_deleted after delete on portal.schools
  referencing old table as old_rows for each statement execute function sync.record_deleted_ids('schools');
create or replace trigger users_ids_of_deleted after delete on portal.users
  referencing old table as old_rows for each statement execute function sync.record_deleted_ids('users');
create or replace trigger classes_ids_of_deleted after delete on portal.classes
  referencing old table as old_rows for each statement execute function sync.record_deleted_ids('classes');
