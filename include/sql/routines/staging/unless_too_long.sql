-- A text of the feed, or null where it is too long for the portal.
create or replace function staging.unless_too_long(written text) returns text
language sql immutable parallel safe
return case when staging.is_too_long(written) then null else written end;
comment on function staging.unless_too_long is 'A text, or null where it is longer than the portal takes.';
