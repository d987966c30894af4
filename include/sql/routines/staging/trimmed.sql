-- A text without spaces around it. Most texts have no space at all, and looking for one costs a third of trimming
-- (PostgreSQL 18.4).
create or replace function staging.trimmed(written text) returns text
language sql immutable parallel safe
return case when strpos(written, ' ') = 0 then written else btrim(written) end;
comment on function staging.trimmed is 'A text without spaces around it.';
