-- A list without repeats and nulls. A function, because a correlated subquery keeps parallel workers away.
create or replace function staging.distinct_ids(ids text[]) returns text[] language sql immutable parallel safe
return (select array_agg(distinct o) from unnest(ids) o where o is not null);
comment on function staging.distinct_ids is 'The entries of a list, each once, without nulls.';
