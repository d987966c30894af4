-- What an update changed in a row, as sync.changes keeps it: the columns that differ, before and after, and their names
-- in alphabetical order. Bookkeeping columns (updated_at, updated_run_id) do not count.
-- before, after: the row's two images, to_jsonb(old) and to_jsonb(new). Returns one row, also where nothing differs.
create or replace function sync.difference(before jsonb, after jsonb)
returns table (old_values jsonb, new_values jsonb, changed text[])
language sql immutable parallel safe as $$
  select coalesce(jsonb_object_agg(key, before -> key), '{}'), coalesce(jsonb_object_agg(key, value), '{}'),
    coalesce(array_agg(key order by key), '{}')
  from jsonb_each(after) where before -> key is distinct from value and key not in ('updated_at', 'updated_run_id')
$$;
comment on function sync.difference is 'The columns that differ between two images of a row, and their names.';
