-- Analyzes a run's tables, so that the planner knows their sizes.
-- run: the run. parents: names of staging tables; 'resolved/users' is one of a table's parts.
create or replace function staging.analyze_run(run bigint, parents text[]) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  parent text;
begin
  foreach parent in array parents loop
    execute format('analyze staging.%I',
      split_part(parent, '/', 1) || '_' || run || coalesce('_' || nullif(split_part(parent, '/', 2), ''), ''));
  end loop;
end
$$;
comment on function staging.analyze_run is 'Makes the statistics of a run''s staging tables.';
revoke all on function staging.analyze_run from public;
grant execute on function staging.analyze_run to roster_edit, roster_reset, roster_undo;
