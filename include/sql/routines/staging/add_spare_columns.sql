-- Adds columns to a run's raw table for those that a file has beyond the known ones. Nothing reads them, so nothing of
-- them is kept but a first byte: the input of "char" drops the rest.
-- run: the run. collection: 'users', 'roles' or 'enrollments'. spares: how many columns.
create or replace function staging.add_spare_columns(run bigint, collection text, spares integer) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  spare integer;
begin
  for spare in 1 .. spares loop
    execute format('alter table staging.%I add column if not exists %I "char"',
                   'raw_' || collection || '_' || run, 'spare_' || spare);
  end loop;
end
$$;
comment on function staging.add_spare_columns is
  'Adds columns to a run''s raw table for columns of a file that nothing reads.';
revoke all on function staging.add_spare_columns from public;
grant execute on function staging.add_spare_columns to roster_edit;
