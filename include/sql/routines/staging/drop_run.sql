-- Drops what a run staged, also what a killed run left behind. Returns how many tables there were.
create or replace function staging.drop_run(run bigint) returns bigint
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  parent text;
  dropped bigint := 0;
begin
  foreach parent in array array['schools', 'users', 'classes', 'enrollments', 'unusual_enrollments', 'terms',
      'resolved', 'plan', 'made_plan', 'sorted_enrollments', 'raw_enrollments', 'raw_rejects', 'raw_users',
      'raw_roles'] loop
    if to_regclass(format('staging.%I', parent || '_' || run)) is not null then
      execute format('drop table staging.%I', parent || '_' || run);
      dropped := dropped + 1;
    end if;
  end loop;
  return dropped;
end
$$;
comment on function staging.drop_run is 'Drops the staging tables of a run and returns how many there were.';
revoke all on function staging.drop_run from public;
grant execute on function staging.drop_run to roster_edit, roster_reset, roster_undo;
