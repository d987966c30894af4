-- Whether a text is null, empty or only spaces. The first letter is cheap to look at (ascii of '' is 0), and hardly any
-- text begins with a space: only such a text is trimmed.
create or replace function staging.is_blank(written text) returns boolean
language sql immutable parallel safe
return written is null or (ascii(written) <= 32 and btrim(written) = '');
comment on function staging.is_blank is 'Whether a text is null, empty or only spaces.';
