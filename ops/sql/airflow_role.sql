-- The owner of Airflow's metadata database. Run as the superuser.
do $$
begin
  if not exists (select from pg_roles where rolname = 'airflow') then
    create role airflow login;
  end if;
end
$$;
