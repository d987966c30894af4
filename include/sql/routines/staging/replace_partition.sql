-- Makes a table that was made by CREATE TABLE AS a part of a staging table, in place of the part that was there.
-- Such a part sits inside a run's own partition: exchanging it locks that one only, and not the table of all districts.
-- SQL that joins such a part names it directly, because its statistics are there (the partition around it has none).
-- parent: the run's partition. part: the last word of the part's name. made: the table.
-- for_value: the partition's value.
create or replace function staging.replace_partition(parent text, part text, made text, for_value text) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  execute format('drop table if exists staging.%I', parent || '_' || part);
  execute format('alter table staging.%I rename to %I', made, parent || '_' || part);
  execute format('alter table staging.%I attach partition staging.%I for values in (%L)',
                 parent, parent || '_' || part, for_value);
end
$$;
comment on function staging.replace_partition is
  'Replaces one part of a run''s partition by a table that was made apart.';
revoke all on function staging.replace_partition from public;
