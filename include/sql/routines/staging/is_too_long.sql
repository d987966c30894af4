-- Whether a text of the feed is longer than 1,000 bytes. No index of the portal takes a row of more than 2,700 bytes:
-- such a text is dropped, and with it, where it is the id, its row.
create or replace function staging.is_too_long(written text) returns boolean
language sql immutable parallel safe
return octet_length(written) > 1000;
comment on function staging.is_too_long is 'Whether a text is longer than the portal takes (1,000 bytes).';
