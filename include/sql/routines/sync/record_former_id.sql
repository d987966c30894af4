-- Records the id that a row had, when the row gets another. Where several rows had an id, the newest one counts.
-- Trigger argument: schools, users or classes.
create or replace function sync.record_former_id() returns trigger
language plpgsql security definer set search_path = sync, pg_temp as $$
begin
  insert into sync.former_ids as f (
    district_id, issuer, entity, source_id, row_id, first_seen_run_id, last_seen_run_id, left_run_id)
  values (old.district_id, old.issuer, tg_argv[0], old.source_id, old.id,
    sync.id_since(tg_argv[0], old.district_id, old.issuer, old.source_id, old.id, old.created_run_id),
    old.updated_run_id, new.updated_run_id)
  on conflict (district_id, issuer, entity, source_id) do update
  set row_id = excluded.row_id, first_seen_run_id = excluded.first_seen_run_id,
    last_seen_run_id = excluded.last_seen_run_id, left_run_id = excluded.left_run_id;
  return null;
end
$$;
comment on function sync.record_former_id is 'Trigger: records the source id that a row had before it got another.';

create or replace trigger schools_former_id after update of issuer, source_id on portal.schools for each row
  when (old.issuer is not null and old.source_id is not null
    and (old.source_id is distinct from new.source_id or old.issuer is distinct from new.issuer))
  execute function sync.record_former_id('schools');
create or replace trigger users_former_id after update of issuer, source_id on portal.users for each row
  when (old.issuer is not null and old.source_id is not null
    and (old.source_id is distinct from new.source_id or old.issuer is distinct from new.issuer))
  execute function sync.record_former_id('users');
create or replace trigger classes_former_id after update of issuer, source_id on portal.classes for each row
  when (old.issuer is not null and old.source_id is not null
    and (old.source_id is distinct from new.source_id or old.issuer is distinct from new.issuer))
  execute function sync.record_former_id('classes');
