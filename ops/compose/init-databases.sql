-- Run once by the postgres container on an empty volume: the logins with the passwords from .env, and their databases.
\set ON_ERROR_STOP on
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv app_password ROSTER_APP_PASSWORD
\getenv owner_password ROSTER_OWNER_PASSWORD

\i /roster/roles.sql
alter role roster_owner password :'owner_password';
alter role roster_app password :'app_password';
\i /roster/airflow_role.sql
alter role airflow password :'airflow_password';

select 'create database airflow owner airflow'
where not exists (select from pg_database where datname = 'airflow') \gexec
select 'create database portal owner roster_owner'
where not exists (select from pg_database where datname = 'portal') \gexec
revoke connect on database airflow, portal from public;
grant connect on database portal to roster_app;
