-- Enrolments are staged by the numbers of their class and person: both texts are looked up once, when the feed is read, and a plan
-- finds the portal's ids by number. What came as text goes when the run is staged. See docs/adr/0014-enrolments-beside-the-rest.md.

-- A run's part of a staging table that is made apart, by CREATE TABLE AS, hangs in a part of its own, where it can be exchanged without
-- a lock on the table of all districts. SQL that joins it looks there, where its statistics are (the part around it has none).
create function staging.exchange_part(parent text, part text, made text, for_value text) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  execute format('drop table if exists staging.%I', parent || '_' || part);
  execute format('alter table staging.%I rename to %I', made, parent || '_' || part);
  execute format('alter table staging.%I attach partition staging.%I for values in (%L)', parent, parent || '_' || part, for_value);
end
$$;
-- Makes such a part; what stands there already goes into it.
create function staging.open_part(parent text, run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  outer_part constant text := parent || '_' || run;
  inner_part constant text := parent || '_' || run || '_rows';
begin
  if to_regclass(format('staging.%I', outer_part)) is not null then
    execute format('alter table staging.%I detach partition staging.%I', parent, outer_part);
    execute format('alter table staging.%I rename to %I', outer_part, inner_part);
  else
    execute format('create unlogged table staging.%I (like staging.%I including defaults) with (autovacuum_enabled = false)', inner_part, parent);
  end if;
  execute format('create table staging.%I (like staging.%I including defaults) partition by list (run_id)', outer_part, parent);
  execute format('alter table staging.%I attach partition staging.%I for values in (%s)', outer_part, inner_part, run);
  execute format('alter table staging.%I attach partition staging.%I for values in (%s)', parent, outer_part, run);
end
$$;
revoke all on function staging.exchange_part(text, text, text, text), staging.open_part(text, bigint) from public;

drop view staging.resolved_enrollments, staging.typed_enrollments;
alter table staging.enrollments rename to enrollments_before; -- what runs have staged until now goes into the new table below

create table staging.enrollments (
  run_id bigint, -- what CREATE TABLE AS makes has no constraint, and adding one would read the table once more
  place tid, -- the line, as staging.unusual_enrollments names it. A line stands here twice where two rows of the feed bear its person's or class's id
  class_n integer, -- staging.classes.n; null: not in the feed
  user_n integer, -- staging.users.n; null: not in the feed
  begins_on date,
  ends_on date,
  role text, -- teacher | student; null: another role, passed over
  is_primary boolean,
  is_active boolean,
  is_rejected boolean,
  keeps_dates boolean, -- a date that is none was dropped by a warning
  is_elsewhere boolean, -- the class is not at the first school that the person lists
  is_unusual boolean -- told in staging.unusual_enrollments
) partition by list (run_id);

-- The feed's enrolments in portal ids, one row per line.
create view staging.resolved_enrollments as
select e.run_id, c.row_id as class_id, u.row_id as user_id, e.role, e.is_active, e.is_primary, e.begins_on, e.ends_on, e.keeps_dates
from staging.enrollments e
join staging.resolved c on c.run_id = e.run_id and c.entity = 'classes' and c.n = e.class_n
join staging.resolved u on u.run_id = e.run_id and u.entity = 'users' and u.n = e.user_n and not u.is_gone
where e.role is not null and not e.is_rejected;
grant select on staging.enrollments, staging.resolved_enrollments to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
grant insert, update, delete on staging.enrollments to roster_edit, roster_reset, roster_undo;

-- Columns that a file has beyond. Nothing reads them, so nothing of them is kept but a first byte: the input of "char" drops the rest.
drop function staging.widen_raw_enrollments(bigint, integer);
create function staging.widen_raw(run bigint, collection text, spares integer) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  spare integer;
begin
  for spare in 1 .. spares loop
    execute format('alter table staging.%I add column if not exists %I "char"', 'raw_' || collection || '_' || run, 'spare_' || spare);
  end loop;
end
$$;
revoke all on function staging.widen_raw(bigint, text, integer) from public;
grant execute on function staging.widen_raw(bigint, text, integer) to roster_edit;

-- One pass, one hash join a side, by CREATE TABLE AS, in which workers take part (INSERT has none; PostgreSQL 18.4). The tables that
-- are looked into are kept small, as a processor's cache is: a school is its place in a list, and of the days the near ones are
-- looked up; what is further away is parsed.
create function staging.number_enrollments(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  execute format('analyze staging.%I (class_source_id, user_source_id)', 'raw_enrollments_' || run);
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select %2$s::bigint as run_id, e.ctid as place, c.n as class_n, u.n as user_n,
      coalesce(b.day, staging.as_day(e.begins_on)) as begins_on, coalesce(x.day, staging.as_day(e.ends_on)) as ends_on,
      staging.as_role(e.role) as role, staging.as_primary(e.is_primary, e.role) as is_primary, staging.as_active(e.status) as is_active,
      e.source_id is null or e.class_source_id is null or e.user_source_id is null as is_rejected,
      ((b.day is null and e.begins_on <> '' and staging.as_day(e.begins_on) is null)
        or (x.day is null and e.ends_on <> '' and staging.as_day(e.ends_on) is null)) is true as keeps_dates,
      (c.school = u.school) is not true as is_elsewhere,
      (c.school = u.school -- neither is null: a class and a person of the feed
        and e.source_id is not null and staging.as_active(e.status) and staging.as_role(e.role) is not null
        and (b.day is not null or e.begins_on is null or e.begins_on = '' or staging.as_day(e.begins_on) is not null)
        and (x.day is not null or e.ends_on is null or e.ends_on = '' or staging.as_day(e.ends_on) is not null)) is not true as is_unusual
    from staging.%3$I e
    left join (
      select c.n, c.source_id, case when c.status = 'active' and not c.is_rejected and not 'school_id' = any (c.keep) then s.n end as school
      from staging.%4$I c left join unnest($1) with ordinality s (id, n) on s.id = c.school_source_id
    ) c on c.source_id = e.class_source_id
    left join (
      select u.n, u.source_id, case when u.status = 'active' and not u.is_rejected then s.n end as school
      from staging.%5$I u left join unnest($1) with ordinality s (id, n) on s.id = u.school_source_ids[1]
    ) u on u.source_id = e.user_source_id
    left join (select * from sync.days where day between current_date - 800 and current_date + 800) b on b.written = e.begins_on
    left join (select * from sync.days where day between current_date - 800 and current_date + 800) x on x.written = e.ends_on
    $made$, 'made_enrollments_' || run, run, 'raw_enrollments_' || run, 'classes_' || run, 'users_' || run || '_rows')
  using array(select distinct source_id from staging.schools where run_id = run and status = 'active' and not is_rejected);
  perform staging.exchange_part('enrollments_' || run, 'rows', 'made_enrollments_' || run, run::text);
end
$$;
revoke all on function staging.number_enrollments(bigint) from public;

-- The run's enrolments, and what is unusual about a few of them, with the texts that people are told.
create or replace function staging.take_enrollments(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  perform staging.number_enrollments(run);
  execute format('analyze staging.%I (is_unusual)', 'enrollments_' || run || '_rows'); -- else half of them are taken for unusual
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select e.run_id, e.place, e.class_n, e.user_n, btrim(r.class_source_id) as class_source_id, btrim(r.user_source_id) as user_source_id,
      e.role, e.is_primary, e.is_active, e.begins_on, e.ends_on, e.is_rejected,
      case when e.keeps_dates then array_remove(array[
        case when e.begins_on is null and r.begins_on <> '' then 'begins_on' end,
        case when e.ends_on is null and r.ends_on <> '' then 'ends_on' end], null) end as keep,
      e.is_elsewhere,
      (r.class_source_id <> btrim(r.class_source_id) or r.user_source_id <> btrim(r.user_source_id)) is true as is_padded
    from staging.%2$I e
    join staging.%3$I r on r.ctid = e.place
    where e.is_unusual
    $made$, 'made_unusual_' || run, 'enrollments_' || run || '_rows', 'raw_enrollments_' || run);
  perform staging.exchange_part('unusual_enrollments_' || run, 'rows', 'made_unusual_' || run, run::text);
end
$$;

-- The portal's ids of a run's classes or people by their number in the feed; 0: none. An array lies in a processor's cache, where a
-- hash table of 100,000 people does not: two look-ups a line cost a quarter of two joins by text (0.06 s for 500,000 lines).
create function staging.ids_by_number(run bigint, wanted text) returns bigint[]
language sql stable security definer set search_path = staging, pg_temp as $$
  select array_agg(coalesce(r.row_id, 0) order by g.n)
  from generate_series(1, (select max(n) from staging.resolved where run_id = run and entity = wanted)) g (n)
  left join staging.resolved r on r.run_id = run and r.entity = wanted and r.n = g.n and not r.is_gone
$$;
revoke all on function staging.ids_by_number(bigint, text) from public;

-- The enrolments of a plan, made anew each time by CREATE TABLE AS again: on a first load every line of the feed, in the order of
-- the portal's index, which then fills from one end to the other. `add`: active in the feed and not in the portal; `differs`:
-- anything else that is not the same on both sides, for plan/enrollments.sql to judge. What is the same never leaves the join.
-- n: a line that names an enrolment once more. Apart from the plan, so that a second connection can do it beside the rest.
drop function staging.join_enrollments(bigint, bigint, boolean);
create function staging.join_enrollments(run bigint, district bigint, is_reset boolean, out adding bigint, out differing bigint, out repeated bigint)
language plpgsql security definer set search_path = staging, pg_temp set work_mem = '256MB' set plan_cache_mode = force_generic_plan as $$
begin
  execute format('drop table if exists staging.%I', 'made_plan_' || run);
  -- Nearly all of what a first load joins comes out, and is sorted; of any other, little does, and its hash table goes to and fro: in parts
  -- that a processor's cache holds it takes two thirds of the time, though they are written to files and read again.
  if exists (select from portal.enrollments x join portal.classes c on c.id = x.class_id where c.district_id = district) then
    set local work_mem = '1MB'; -- until the function ends
  end if;
  -- Prepared, with a generic plan: else the arrays become a part of the plan, and are written out as text for each worker. A try of this
  -- session that failed may have left it: what is prepared is not rolled back.
  if exists (select from pg_prepared_statements where name = 'roster_join') then
    deallocate roster_join;
  end if;
  execute format($made$
    prepare roster_join (bigint[], bigint[]) as
    select %1$s::bigint as run_id, 'enrollments' as entity, 'enrollments' as kind,
      case when e.class_id is null then 'add' else 'differs' end as action, 'adds' as phase,
      null::bigint as row_id,
      nullif(row_number() over (partition by coalesce(f.class_id, e.class_id), coalesce(f.user_id, e.user_id)), 1)::integer as n,
      null::text as source_id, coalesce(f.class_id, e.class_id) as class_id, coalesce(f.user_id, e.user_id) as user_id,
      null::bigint as school_id, coalesce(f.role, e.role) as role, f.is_primary, f.is_active, f.begins_on, f.ends_on,
      case when f.keeps_dates then '{keeps_dates}'::text[] end as changed
    from (
      select $1[l.class_n] as class_id, $2[l.user_n] as user_id, l.role, l.is_primary, l.is_active, l.begins_on, l.ends_on, l.keeps_dates
      from staging.%4$I l
      where l.role is not null and not l.is_rejected and $1[l.class_n] > 0 and $2[l.user_n] > 0) f
    full join (
      select x.class_id, x.user_id, x.role, x.is_primary, x.is_active, x.begins_on, x.ends_on, x.origin
      from portal.enrollments x join portal.classes c on c.id = x.class_id where c.district_id = %2$s) e
      on e.class_id = f.class_id and e.user_id = f.user_id and e.role = f.role
    where case when f.class_id is null then e.is_active or %3$L
      when e.class_id is null then f.is_active
      else not f.is_active or not e.is_active
        or (e.origin = 'sync' and (f.is_primary <> e.is_primary
            or (not f.keeps_dates and (f.begins_on is distinct from e.begins_on or f.ends_on is distinct from e.ends_on)))) end
    $made$, run, district, is_reset, 'enrollments_' || run || '_rows');
  execute format('create unlogged table staging.%1$I with (autovacuum_enabled = false) as
                  execute roster_join (staging.ids_by_number(%2$s, ''classes''), staging.ids_by_number(%2$s, ''users''))', 'made_plan_' || run, run);
  deallocate roster_join;
  execute format('analyze staging.%I (class_id, action)', 'made_plan_' || run);
  -- mostly there is little of each: what would look for them need not look at half a million lines where there are none
  execute format('select count(*) filter (where action = ''add''), count(*) filter (where action = ''differs''), count(n) from staging.%I',
                 'made_plan_' || run) into adding, differing, repeated;
end
$$;
revoke all on function staging.join_enrollments(bigint, bigint, boolean) from public;
grant execute on function staging.join_enrollments(bigint, bigint, boolean) to roster_edit, roster_reset;

-- They become the plan's.
create or replace function staging.plan_enrollments(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  perform staging.exchange_part('plan_' || run, 'enrollments', 'made_plan_' || run, 'enrollments');
end
$$;

-- A run's parts of the staging tables.
create or replace function staging.open_run(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  parent text;
  part text;
begin
  -- A run that is read again empties its own partitions: dropping one would lock the parent, and with it every district.
  if to_regclass(format('staging.%I', 'plan_' || run)) is not null then
    foreach parent in array array['schools', 'users', 'classes', 'terms', 'resolved', 'plan', 'enrollments', 'unusual_enrollments'] loop
      if to_regclass(format('staging.%I', parent || '_' || run)) is not null then
        execute format('truncate staging.%I', parent || '_' || run);
      end if;
    end loop;
    return;
  end if;
  -- Made apart and then attached: CREATE TABLE ... PARTITION OF would lock the parent against its readers.
  foreach parent in array array['schools', 'classes', 'terms'] loop
    execute format('create unlogged table staging.%I (like staging.%I including defaults) with (autovacuum_enabled = false)',
                   parent || '_' || run, parent);
    execute format('alter table staging.%I attach partition staging.%I for values in (%s)',
                   parent, parent || '_' || run, run);
  end loop;
  foreach parent in array array['users', 'enrollments', 'unusual_enrollments'] loop
    perform staging.open_part(parent, run);
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

-- With what a run leaves behind that was killed at work.
create or replace function staging.drop_run(run bigint) returns bigint
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  parent text;
  dropped bigint := 0;
begin
  foreach parent in array array['schools', 'users', 'classes', 'enrollments', 'unusual_enrollments', 'terms', 'resolved', 'plan',
      'made_plan', 'raw_enrollments', 'raw_rejects', 'raw_users', 'raw_roles'] loop
    if to_regclass(format('staging.%I', parent || '_' || run)) is not null then
      execute format('drop table staging.%I', parent || '_' || run);
      dropped := dropped + 1;
    end if;
  end loop;
  return dropped;
end
$$;

-- What is staged goes on in the new form: a question may still wait for its answer.
do $$
declare
  run bigint;
begin
  for run in select substring(c.relname from '_([0-9]+)$')::bigint from pg_inherits i join pg_class c on c.oid = i.inhrelid
             where i.inhparent = 'staging.plan'::regclass loop
    if to_regclass(format('staging.%I', 'enrollments_' || run)) is not null then
      execute format('alter table staging.enrollments_before detach partition staging.%I', 'enrollments_' || run);
      execute format('drop table if exists staging.%I', 'raw_enrollments_' || run);
      execute format('alter table staging.%I rename to %I', 'enrollments_' || run, 'raw_enrollments_' || run);
    end if;
    perform staging.open_part(parent, run) from unnest(array['users', 'enrollments', 'unusual_enrollments']) parent;
    if to_regclass(format('staging.%I', 'raw_enrollments_' || run)) is not null then
      perform staging.number_enrollments(run);
      update staging.enrollments e set class_n = coalesce(e.class_n, p.class_n), user_n = coalesce(e.user_n, p.user_n)
      from staging.unusual_enrollments p where p.run_id = run and p.is_padded and e.run_id = run and e.place = p.place;
      perform staging.close_raw(run);
    end if;
  end loop;
end
$$;
drop table staging.enrollments_before;
drop function staging.take_part(text, bigint, text);
