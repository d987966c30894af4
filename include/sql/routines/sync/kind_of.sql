-- The kind of person that counts, limits and pages name: teachers, students or admins (of a school or of the district).
-- role: a portal role.
create or replace function sync.kind_of(role text) returns text
language sql immutable parallel safe
return case role when 'teacher' then 'teachers' when 'student' then 'students' else 'admins' end;
comment on function sync.kind_of is 'The kind of person of a role, as people count: teachers, students or admins.';
