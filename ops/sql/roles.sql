-- Makes the logins of the portal's cluster if they are missing, without passwords. Run as the superuser.
-- roster_owner owns the portal database: migrations and bin/psql. roster_app is the login of the DAGs' connection;
-- NOINHERIT, so that it can do nothing until a transaction takes one of the group roles that the migrations grant it.
do $$
declare
  existing text;
begin
  if not exists (select from pg_roles where rolname = 'roster_owner') then
    create role roster_owner login createrole;
  end if;
  if not exists (select from pg_roles where rolname = 'roster_app') then
    create role roster_app login noinherit;
  end if;
  -- Since PostgreSQL 16 CREATEROLE alone cannot grant a role that someone else made.
  for existing in
    select rolname from pg_roles
    where rolname in ('roster_read', 'roster_edit', 'roster_reset', 'roster_undo', 'roster_desk')
  loop
    execute format('grant %I to roster_owner with admin true, inherit false, set true', existing);
  end loop;
  grant roster_app to roster_owner with admin true, inherit false, set false;
end
$$;
