-- One run's feed and plan: an unlogged partition per run, dropped whole when its time is over. Partitions keep a
-- district's statistics and scans its own, and purging them costs nothing (a DELETE would leave 600,000 dead rows a night).

create table staging.schools (
  run_id bigint not null,
  source_id text,
  status text not null, -- active | tobedeleted
  name text,
  sis_id text,
  state_id text,
  nces_id text,
  is_rejected boolean not null default false, -- counts as seen, changes nothing
  keep text[] not null default '{}' -- columns whose value was dropped by a warning: the portal's stays
) partition by list (run_id);

create table staging.users (
  run_id bigint not null,
  n integer not null, -- its place in the feed: enrolments name it by this, a quarter of a text id's cost
  source_id text,
  status text not null,
  source_roles text[] not null default '{}', -- the source's own words
  roles text[] not null default '{}', -- portal roles they map to, in order of precedence
  school_source_ids text[] not null default '{}', -- organisations as listed; only schools count
  primary_school_source_id text,
  email text,
  username text,
  given_name text,
  family_name text,
  grade text,
  sis_id text,
  state_id text,
  is_enabled boolean, -- null: the source does not say
  is_rejected boolean not null default false,
  keep text[] not null default '{}'
) partition by list (run_id);

create table staging.classes (
  run_id bigint not null,
  n integer not null,
  source_id text,
  status text not null,
  school_source_id text,
  sis_id text,
  title text,
  subject text,
  grade text,
  period text,
  term_name text,
  starts_on date,
  ends_on date,
  is_rejected boolean not null default false,
  keep text[] not null default '{}'
) partition by list (run_id);

create table staging.enrollments (
  run_id bigint not null,
  class_n integer, -- staging.classes.n; null: not in the feed
  user_n integer, -- staging.users.n; null: not in the feed
  class_source_id text, -- only where the class or the person is not in the feed
  user_source_id text,
  role text, -- teacher | student; null: another role, passed over
  is_primary boolean not null default false,
  is_active boolean not null,
  begins_on date,
  ends_on date,
  is_rejected boolean not null default false,
  keep text[] -- columns whose value was dropped by a warning
) partition by list (run_id);

create table staging.terms (
  run_id bigint not null,
  source_id text,
  status text not null,
  title text,
  starts_on date,
  ends_on date
) partition by list (run_id);

-- What the feed's ids stand for in the portal; new rows get their portal id here, before they exist.
create table staging.resolved (
  run_id bigint not null,
  entity text not null, -- schools | users | classes
  source_id text not null,
  n integer, -- of users and classes
  row_id bigint not null,
  how text not null -- key | previous | sis | state | name | email | lineage | new
) partition by list (run_id);

-- The plan: what this run would do, row by row. Serves the preview, the limits, the question, the report, the mails.
create table staging.plan (
  run_id bigint not null,
  entity text not null, -- schools | users | classes | enrollments | user_schools | worklist
  kind text not null, -- as counted: schools teachers students admins classes enrollments memberships; role_drift, match_review
  action text not null, -- add | update | restore | unshare | end | delete; open (worklist)
  phase text not null, -- adds | updates | removals
  row_id bigint, -- of schools, users, classes
  n integer, -- the feed's row of users and classes
  source_id text,
  class_id bigint,
  user_id bigint,
  school_id bigint,
  role text,
  is_primary boolean,
  is_active boolean,
  begins_on date,
  ends_on date,
  changed text[]
) partition by list (run_id);

-- Partitions are made and dropped by the owner's functions: the sync roles own no table.
create function staging.open_run(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  parent text;
  part text;
begin
  -- A run that is read again empties its own partitions: dropping one would lock the parent, and with it every district.
  if to_regclass(format('staging.%I', 'plan_' || run)) is not null then
    foreach parent in array array['schools', 'users', 'classes', 'enrollments', 'terms', 'resolved', 'plan'] loop
      execute format('truncate staging.%I', parent || '_' || run);
    end loop;
    return;
  end if;
  -- Made apart and then attached: CREATE TABLE ... PARTITION OF would lock the parent against its readers.
  foreach parent in array array['schools', 'users', 'classes', 'enrollments', 'terms', 'resolved'] loop
    execute format('create unlogged table staging.%I (like staging.%I including defaults) with (autovacuum_enabled = false)',
                   parent || '_' || run, parent);
    execute format('alter table staging.%I attach partition staging.%I for values in (%s)',
                   parent, parent || '_' || run, run);
  end loop;
  -- A first load plans seven hundred thousand rows, nearly all of them enrolments, and most who read a plan ask for
  -- something else: each of the three large entities lies apart.
  parent := 'plan_' || run;
  execute format('create table staging.%I (like staging.plan including defaults) partition by list (entity)', parent);
  foreach part in array array['enrollments', 'user_schools', 'users'] loop
    execute format('create unlogged table staging.%I partition of staging.%I for values in (%L) with (autovacuum_enabled = false)',
                   parent || '_' || part, parent, part);
  end loop;
  execute format('create unlogged table staging.%I partition of staging.%I default with (autovacuum_enabled = false)',
                 parent || '_rest', parent);
  execute format('alter table staging.plan attach partition staging.%I for values in (%s)', parent, run);
end
$$;

create function staging.drop_run(run bigint) returns bigint
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  parent text;
  dropped bigint := 0;
begin
  foreach parent in array array['schools', 'users', 'classes', 'enrollments', 'terms', 'resolved', 'plan'] loop
    if to_regclass(format('staging.%I', parent || '_' || run)) is not null then
      execute format('drop table staging.%I', parent || '_' || run);
      dropped := dropped + 1;
    end if;
  end loop;
  return dropped;
end
$$;
revoke all on function staging.open_run(bigint), staging.drop_run(bigint) from public;

create function staging.analyze_run(run bigint, parents text[]) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  parent text;
begin
  foreach parent in array parents loop
    execute format('analyze staging.%I', parent || '_' || run);
  end loop;
end
$$;
revoke all on function staging.analyze_run(bigint, text[]) from public;
