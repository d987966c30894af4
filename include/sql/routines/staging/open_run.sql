-- Makes a run's partitions of all staging tables; those of a run that is read again are emptied.
-- Made by the owner: the sync roles own no table.
create or replace function staging.open_run(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  parent text;
  part text;
begin
  -- A run that is read again empties its own partitions: dropping one would lock the parent, and with it all districts.
  if to_regclass(format('staging.%I', 'plan_' || run)) is not null then
    foreach parent in array array['schools', 'users', 'classes', 'terms', 'resolved', 'plan', 'enrollments',
        'unusual_enrollments'] loop
      if to_regclass(format('staging.%I', parent || '_' || run)) is not null then
        execute format('truncate staging.%I', parent || '_' || run);
      end if;
    end loop;
    return;
  end if;
  -- Made apart and then attached: CREATE TABLE ... PARTITION OF would lock the parent against its readers.
  foreach parent in array array['schools', 'classes', 'terms'] loop
    execute format('create unlogged table staging.%I (like staging.%I including defaults)
                    with (autovacuum_enabled = false)', parent || '_' || run, parent);
    execute format('alter table staging.%I attach partition staging.%I for values in (%s)',
                   parent, parent || '_' || run, run);
  end loop;
  foreach parent in array array['users', 'enrollments', 'unusual_enrollments'] loop
    perform staging.create_partition(parent, run);
  end loop;
  -- Most readers of a plan, or of the ids, ask for one entity, and each has its own statistics: the large entities have
  -- parts of their own.
  foreach parent in array array['resolved', 'plan'] loop
    execute format('create table staging.%I (like staging.%I including defaults) partition by list (entity)',
                   parent || '_' || run, parent);
    foreach part in array case parent
        when 'plan' then array['enrollments', 'user_schools', 'users'] else array['users', 'classes'] end loop
      execute format('create unlogged table staging.%I partition of staging.%I for values in (%L)
                      with (autovacuum_enabled = false)',
                     parent || '_' || run || '_' || part, parent || '_' || run, part);
    end loop;
    execute format('create unlogged table staging.%I partition of staging.%I default
                    with (autovacuum_enabled = false)', parent || '_' || run || '_rest', parent || '_' || run);
    execute format('alter table staging.%I attach partition staging.%I for values in (%s)',
                   parent, parent || '_' || run, run);
  end loop;
end
$$;
comment on function staging.open_run is 'Makes, or empties, a run''s partitions of all staging tables.';
revoke all on function staging.open_run from public;
grant execute on function staging.open_run to roster_edit, roster_reset, roster_undo;
