-- Makes a run's partition of a staging table with a part of its own inside, which staging.replace_partition can replace
-- without a lock on the table of all districts. A partition that is already there becomes that part.
-- parent: the staging table. run: the run.
create or replace function staging.create_partition(parent text, run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  outer_part constant text := parent || '_' || run;
  inner_part constant text := parent || '_' || run || '_rows';
begin
  if to_regclass(format('staging.%I', outer_part)) is not null then
    execute format('alter table staging.%I detach partition staging.%I', parent, outer_part);
    execute format('alter table staging.%I rename to %I', outer_part, inner_part);
  else
    execute format('create unlogged table staging.%I (like staging.%I including defaults)
                    with (autovacuum_enabled = false)', inner_part, parent);
  end if;
  execute format('create table staging.%I (like staging.%I including defaults) partition by list (run_id)',
                 outer_part, parent);
  execute format('alter table staging.%I attach partition staging.%I for values in (%s)', outer_part, inner_part, run);
  execute format('alter table staging.%I attach partition staging.%I for values in (%s)', parent, outer_part, run);
end
$$;
comment on function staging.create_partition is
  'Makes a run''s partition of a staging table, with a part inside that can be replaced.';
revoke all on function staging.create_partition from public;
