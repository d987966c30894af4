-- A feed's status word as one of the two that staging knows: active or tobedeleted.
-- written: the word as the source wrote it, or null.
create or replace function staging.as_status(written text) returns text
language sql immutable parallel safe
return case when staging.as_active(written) then 'active' else 'tobedeleted' end;
comment on function staging.as_status is 'A feed''s status word as active or tobedeleted.';
