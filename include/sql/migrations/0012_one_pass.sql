-- What lets a run read its enrolments few times, and with parallel workers, which see no temporary table (PostgreSQL 18.4).

-- Where a resolved person or class belongs, and whether the portal differs.
alter table staging.resolved
  add column school_id bigint, -- users: the first school that they list; classes: the school they are in after this run
  add column is_gone boolean not null default false, -- the source itself calls the row gone
  add column is_same boolean not null default false; -- users: every value is what the portal has

-- The feed's enrolments in portal ids, one row per line; no temporary table, so that the workers of a parallel plan read it.
create view staging.resolved_enrollments as
select e.run_id, c.row_id as class_id, u.row_id as user_id, e.role, e.is_active, e.is_primary, e.begins_on, e.ends_on,
  e.keep is not null as keeps_dates, c.school_id is distinct from u.school_id as is_elsewhere
from staging.enrollments e
join staging.resolved c on c.run_id = e.run_id and c.entity = 'classes' and c.n = e.class_n
join staging.resolved u on u.run_id = e.run_id and u.entity = 'users' and u.n = e.user_n and not u.is_gone
where e.role is not null and not e.is_rejected;
grant select on staging.resolved_enrollments to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;

-- Days as a feed writes them: a look-up costs a third of parsing (500,000 enrolments have two each). What is not here is parsed.
create table sync.days (written text primary key, day date not null);
insert into sync.days (written, day)
select to_char(d, 'YYYY-MM-DD'), d::date from generate_series(date '1990-01-01', date '2060-12-31', interval '1 day') d;
grant select on sync.days to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;

-- An enrolment's day, or null: 01/02/2026 is none, as nobody knows which.
create function staging.as_day(written text) returns date
language sql stable parallel safe
return case when written like '____-__-__%' and pg_input_is_valid(written, 'date') then written::date end;

-- A run's enrolments are typed by CREATE TABLE AS, which has workers join and one writer (INSERT has none), and attached.
create or replace function staging.open_run(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  parent text;
  part text;
begin
  -- A run that is read again empties its own partitions: dropping one would lock the parent, and with it every district.
  if to_regclass(format('staging.%I', 'plan_' || run)) is not null then
    foreach parent in array array['schools', 'users', 'classes', 'terms', 'resolved', 'plan'] loop
      execute format('truncate staging.%I', parent || '_' || run);
    end loop;
    if to_regclass(format('staging.%I', 'enrollments_' || run)) is not null then
      execute format('truncate staging.%I', 'enrollments_' || run);
    end if;
    return;
  end if;
  -- Made apart and then attached: CREATE TABLE ... PARTITION OF would lock the parent against its readers.
  foreach parent in array array['schools', 'users', 'classes', 'terms'] loop
    execute format('create unlogged table staging.%I (like staging.%I including defaults) with (autovacuum_enabled = false)',
                   parent || '_' || run, parent);
    execute format('alter table staging.%I attach partition staging.%I for values in (%s)',
                   parent, parent || '_' || run, run);
  end loop;
  -- Most who read a plan, or the ids, ask for one entity, and each has its own statistics: the large ones lie apart.
  foreach parent in array array['resolved', 'plan'] loop
    execute format('create table staging.%I (like staging.%I including defaults) partition by list (entity)', parent || '_' || run, parent);
    foreach part in array case parent when 'plan' then array['enrollments', 'user_schools', 'users'] else array['users', 'classes'] end loop
      execute format('create unlogged table staging.%I partition of staging.%I for values in (%L) with (autovacuum_enabled = false)',
                     parent || '_' || run || '_' || part, parent || '_' || run, part);
    end loop;
    execute format('create unlogged table staging.%I partition of staging.%I default with (autovacuum_enabled = false)',
                   parent || '_' || run || '_rest', parent || '_' || run);
    execute format('alter table staging.%I attach partition staging.%I for values in (%s)', parent, parent || '_' || run, run);
  end loop;
end
$$;

-- Statistics of a run's tables; 'resolved/users' is one of the parts.
create or replace function staging.analyze_run(run bigint, parents text[]) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  parent text;
begin
  foreach parent in array parents loop
    execute format('analyze staging.%I', split_part(parent, '/', 1) || '_' || run || coalesce('_' || nullif(split_part(parent, '/', 2), ''), ''));
  end loop;
end
$$;

-- Enrolments as they came (ids, words and days, as text) and records that could not be read: tables of the run, which a second
-- connection can fill; gone when the run is staged, however that ends.
create function staging.close_raw(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  execute format('drop table if exists staging.%I, staging.%I', 'raw_enrollments_' || run, 'raw_rejects_' || run);
end
$$;
create function staging.open_raw(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  perform staging.close_raw(run);
  execute format('create unlogged table staging.%I (source_id text, status text, class_source_id text, user_source_id text, role text,
                  is_primary text, begins_on text, ends_on text) with (autovacuum_enabled = false)', 'raw_enrollments_' || run);
  execute format('create unlogged table staging.%I (collection text, rule text, message text, source_id text, line bigint, known jsonb)
                  with (autovacuum_enabled = false)', 'raw_rejects_' || run);
  execute format('grant select, insert, delete, truncate on staging.%I, staging.%I to roster_edit',
                 'raw_enrollments_' || run, 'raw_rejects_' || run);
end
$$;
-- Columns that a file has beyond; nothing reads them.
create function staging.widen_raw_enrollments(run bigint, spares integer) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  spare integer;
begin
  for spare in 1 .. spares loop
    execute format('alter table staging.%I add column if not exists %I text', 'raw_enrollments_' || run, 'spare_' || spare);
  end loop;
end
$$;

-- Enrolments naming class and person by their place in the feed. The largest table of a run: one pass, one hash join a side.
create function staging.type_enrollments(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  part constant text := 'enrollments_' || run;
  target constant text := case when to_regclass(format('staging.%I', part)) is null then part else part || '_again' end;
begin
  execute format('analyze staging.%I (class_source_id)', 'raw_enrollments_' || run);
  execute format($typed$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select %3$s::bigint as run_id, c.n as class_n, u.n as user_n,
      case when c.n is null then e.class_source_id end as class_source_id,
      case when u.n is null then e.user_source_id end as user_source_id,
      case e.role when 'student' then 'student' when 'teacher' then 'teacher'
        else case lower(btrim(e.role)) when 'student' then 'student' when 'teacher' then 'teacher' end end as role,
      case when e.role = 'student' or e.is_primary is null then false
        else lower(e.is_primary) = 'true' and lower(btrim(e.role)) = 'teacher' end as is_primary,
      case when e.status is null or e.status = 'active' then true
        else lower(btrim(e.status)) not in ('tobedeleted', 'inactive') end as is_active,
      coalesce(b.day, staging.as_day(e.begins_on)) as begins_on,
      coalesce(x.day, staging.as_day(e.ends_on)) as ends_on,
      e.source_id is null or e.class_source_id is null or e.user_source_id is null as is_rejected,
      case when (b.day is null and e.begins_on <> '' and staging.as_day(e.begins_on) is null)
             or (x.day is null and e.ends_on <> '' and staging.as_day(e.ends_on) is null) then
        array_remove(array[case when e.begins_on <> '' and staging.as_day(e.begins_on) is null then 'begins_on' end,
                           case when e.ends_on <> '' and staging.as_day(e.ends_on) is null then 'ends_on' end], null) end as keep
    from staging.%2$I e
    left join staging.%4$I c on c.source_id = e.class_source_id
    left join staging.%5$I u on u.source_id = e.user_source_id
    left join sync.days b on b.written = e.begins_on
    left join sync.days x on x.written = e.ends_on
    $typed$, target, 'raw_enrollments_' || run, run, 'classes_' || run, 'users_' || run);
  if target = part then
    execute format('alter table staging.enrollments attach partition staging.%I for values in (%s)', part, run);
  else -- read again: the partition is there, and exchanging it would lock every district
    execute format('truncate staging.%I', part);
    execute format('insert into staging.%I select * from staging.%I', part, target);
    execute format('drop table staging.%I', target);
  end if;
end
$$;
-- what CREATE TABLE AS makes has no such constraint, and adding it would read the table once more
alter table staging.enrollments alter column run_id drop not null, alter column is_primary drop not null,
  alter column is_active drop not null, alter column is_rejected drop not null;
revoke all on function staging.open_raw(bigint), staging.close_raw(bigint), staging.widen_raw_enrollments(bigint, integer),
  staging.type_enrollments(bigint) from public;
grant execute on function staging.open_raw(bigint), staging.close_raw(bigint), staging.widen_raw_enrollments(bigint, integer),
  staging.type_enrollments(bigint) to roster_edit;
grant insert, update on staging.enrollments to roster_edit;
