-- The entries of a comma-separated list, trimmed, in their order, without empty ones; null where there are no entries.
-- A function, because a correlated subquery keeps parallel workers away.
create or replace function staging.split_list(written text) returns text[] language sql immutable parallel safe
return (
  select array_agg(btrim(o) order by place)
  from unnest(string_to_array(written, ',')) with ordinality t (o, place) where btrim(o) <> '');
comment on function staging.split_list is 'The entries of a comma-separated list, in their order.';
