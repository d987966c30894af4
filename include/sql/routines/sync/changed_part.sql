-- The columns of one image of a row that differ in another: what is kept of an update's before and after.
-- a, b: the images. Bookkeeping columns (updated_at, updated_run_id) do not count.
create or replace function sync.changed_part(a jsonb, b jsonb) returns jsonb
language sql immutable parallel safe as $$
  select coalesce(jsonb_object_agg(key, value), '{}')
  from jsonb_each(a) where b -> key is distinct from value and key not in ('updated_at', 'updated_run_id')
$$;
comment on function sync.changed_part is 'The entries of image a whose value in image b is different.';
