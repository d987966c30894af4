-- A day as a feed writes it (YYYY-MM-DD, a time may follow), or null: nobody knows which day 01/02/2026 is.
-- written: the text as the source wrote it, or null.
create or replace function staging.as_day(written text) returns date
language sql stable parallel safe
return case when written like '____-__-__%' and pg_input_is_valid(written, 'date') then written::date end;
comment on function staging.as_day is 'The day that a feed''s text means, or null if it is not a day.';
