-- The role of an enrollment, teacher or student; null for any other word (proctor, administrator).
-- written: the word as the source wrote it. Nearly all are written in lower case, and need no second look.
create or replace function staging.as_role(written text) returns text
language sql immutable parallel safe
return case written when 'student' then 'student' when 'teacher' then 'teacher'
  else case lower(btrim(written)) when 'student' then 'student' when 'teacher' then 'teacher' end end;
comment on function staging.as_role is 'The portal role that an enrollment''s word means, or null.';
