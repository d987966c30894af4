-- The names of the columns that differ between two images of a row, in alphabetical order.
-- a, b: the images. Bookkeeping columns (updated_at, updated_run_id) do not count.
create or replace function sync.changed_keys(a jsonb, b jsonb) returns text[]
language sql immutable parallel safe as $$
  select coalesce(array_agg(key order by key), '{}')
  from jsonb_each(a) where b -> key is distinct from value and key not in ('updated_at', 'updated_run_id')
$$;
comment on function sync.changed_keys is 'The names of the columns of image a whose value in image b is different.';
