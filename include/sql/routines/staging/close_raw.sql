-- Drops the tables that staging.open_raw made for a run, when the run is staged, however that ends.
create or replace function staging.close_raw(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  execute format('drop table if exists staging.%I, staging.%I, staging.%I, staging.%I',
                 'raw_enrollments_' || run, 'raw_rejects_' || run, 'raw_users_' || run, 'raw_roles_' || run);
end
$$;
comment on function staging.close_raw is 'Drops a run''s tables of raw rows.';
revoke all on function staging.close_raw from public;
grant execute on function staging.close_raw to roster_edit;
