-- Whether a feed's status word says that the record is active: anything but OneRoster's tobedeleted and inactive does.
-- written: the word as the source wrote it, or null.
create or replace function staging.as_active(written text) returns boolean
language sql immutable parallel safe
return case when written is null or written = 'active' then true
  else lower(btrim(written)) not in ('tobedeleted', 'inactive') end;
comment on function staging.as_active is 'Whether a feed''s status word means active.';
