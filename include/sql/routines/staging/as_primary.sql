-- Whether an enrollment says that its teacher is the class's primary teacher. Only teachers can be.
-- written: the flag as the source wrote it, or null. role: the role as the source wrote it.
create or replace function staging.as_primary(written text, role text) returns boolean
language sql immutable parallel safe
return case when role = 'student' or written is null then false
  else lower(written) = 'true' and lower(btrim(role)) = 'teacher' end;
comment on function staging.as_primary is 'Whether an enrollment is that of the primary teacher.';
