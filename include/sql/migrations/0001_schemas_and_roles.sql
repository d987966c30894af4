-- Schemas and database roles. A bug in one path cannot do another's harm: each path has a role that may only do its job.
-- Cluster-wide roles are made only where they are missing, so that several databases of one cluster can share them.
do $$
declare
  wanted text;
begin
  foreach wanted in array array['roster_read', 'roster_edit', 'roster_reset', 'roster_undo', 'roster_desk'] loop
    if not exists (select from pg_roles where rolname = wanted) then
      execute format('create role %I nologin', wanted);
    end if;
  end loop;
  if exists (select from pg_roles where rolname = 'roster_app') then
    grant roster_read, roster_edit, roster_reset, roster_undo, roster_desk to roster_app with inherit false, set true;
  end if;
end
$$;

create schema portal;
create schema staging;
create schema sync;

revoke all on schema public from public;
grant usage on schema portal, staging, sync to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
