-- The words of a comma-separated list, trimmed, in lower case, each once.
-- A function, because a correlated subquery keeps parallel workers away.
create or replace function staging.split_words(written text) returns text[] language sql immutable parallel safe
return (select array_agg(distinct lower(btrim(word))) from unnest(string_to_array(written, ',')) word);
comment on function staging.split_words is 'The words of a comma-separated list, in lower case, each once.';
