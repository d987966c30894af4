-- Enrolments stay as they came: nine of ten lines of a roster are not written a second time only to be compared. What is
-- unusual about a few of them is set aside once. See docs/adr/0014-enrolments-beside-the-rest.md.

alter table staging.enrollments rename to typed_before; -- what runs have staged until now goes into the new tables below

create table staging.enrollments (
  run_id bigint not null,
  source_id text, -- text as the source wrote it, empty is null
  status text,
  class_source_id text,
  user_source_id text,
  role text,
  is_primary text,
  begins_on text,
  ends_on text
) partition by list (run_id);

-- Lines that are not merely an active enrolment of someone of the feed in a class of the feed, at the first of their schools.
create table staging.unusual_enrollments (
  run_id bigint, -- what CREATE TABLE AS makes has no constraint, and adding one would read the table once more
  place tid, -- in the run's part of staging.enrollments; null: a record that could not be read
  class_n integer, -- staging.classes.n; null: not in the feed
  user_n integer, -- staging.users.n; null: not in the feed
  class_source_id text, -- without blanks around it
  user_source_id text,
  role text, -- teacher | student; null: another role, passed over
  is_primary boolean,
  is_active boolean,
  begins_on date,
  ends_on date,
  is_rejected boolean,
  keep text[], -- columns whose value was dropped by a warning
  is_elsewhere boolean, -- the class is not at the first school that the person lists
  is_padded boolean -- an id has blanks around it
) partition by list (run_id);

-- A text without blanks around it: most have none anywhere, and looking for one costs a third of cutting (PostgreSQL 18.4).
create function staging.trimmed(written text) returns text
language sql immutable parallel safe
return case when strpos(written, ' ') = 0 then written else btrim(written) end;
-- A line's values, in one place.
create function staging.as_role(written text) returns text
language sql immutable parallel safe
return case written when 'student' then 'student' when 'teacher' then 'teacher'
  else case lower(btrim(written)) when 'student' then 'student' when 'teacher' then 'teacher' end end;
create function staging.as_primary(written text, role text) returns boolean
language sql immutable parallel safe
return case when role = 'student' or written is null then false else lower(written) = 'true' and lower(btrim(role)) = 'teacher' end;
create function staging.as_active(written text) returns boolean
language sql immutable parallel safe
return case when written is null or written = 'active' then true else lower(btrim(written)) not in ('tobedeleted', 'inactive') end;

create view staging.typed_enrollments as
select e.run_id, e.class_source_id, e.user_source_id, staging.as_role(e.role) as role, staging.as_active(e.status) as is_active,
  staging.as_primary(e.is_primary, e.role) as is_primary,
  coalesce(b.day, staging.as_day(e.begins_on)) as begins_on, coalesce(x.day, staging.as_day(e.ends_on)) as ends_on,
  ((b.day is null and e.begins_on <> '' and staging.as_day(e.begins_on) is null)
    or (x.day is null and e.ends_on <> '' and staging.as_day(e.ends_on) is null)) is true as keeps_dates
from staging.enrollments e
left join sync.days b on b.written = e.begins_on
left join sync.days x on x.written = e.ends_on
where e.source_id is not null and staging.as_role(e.role) is not null;

-- The feed's enrolments in portal ids, one row per line.
drop view staging.resolved_enrollments;
create view staging.resolved_enrollments as
select e.run_id, c.row_id as class_id, u.row_id as user_id, e.role, e.is_active, e.is_primary, e.begins_on, e.ends_on, e.keeps_dates
from staging.typed_enrollments e
join staging.resolved c on c.run_id = e.run_id and c.entity = 'classes' and c.source_id = e.class_source_id
join staging.resolved u on u.run_id = e.run_id and u.entity = 'users' and u.source_id = e.user_source_id and not u.is_gone
union all -- with blanks around an id
select e.run_id, c.row_id, u.row_id, e.role, e.is_active, e.is_primary, e.begins_on, e.ends_on, e.keep is not null
from staging.unusual_enrollments e
join staging.resolved c on c.run_id = e.run_id and c.entity = 'classes' and c.source_id = e.class_source_id
join staging.resolved u on u.run_id = e.run_id and u.entity = 'users' and u.source_id = e.user_source_id and not u.is_gone
where e.is_padded and not e.is_rejected and e.role is not null;
grant select on staging.typed_enrollments, staging.resolved_enrollments, staging.enrollments, staging.unusual_enrollments
  to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
grant insert, update, delete on staging.enrollments, staging.unusual_enrollments to roster_edit, roster_reset, roster_undo;

-- The tables of a run into which its enrolments and its unreadable records are copied, and their end where the run fails.
create or replace function staging.open_raw(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  perform staging.close_raw(run);
  -- checked line by line, so that attaching it need not read it
  execute format('create unlogged table staging.%1$I (run_id bigint not null default %2$s check (run_id = %2$s), source_id text, status text,
                  class_source_id text, user_source_id text, role text, is_primary text, begins_on text, ends_on text)
                  with (autovacuum_enabled = false)', 'raw_enrollments_' || run, run);
  execute format('create unlogged table staging.%I (collection text, rule text, message text, source_id text, line bigint, known jsonb)
                  with (autovacuum_enabled = false)', 'raw_rejects_' || run);
  execute format('grant select, insert, delete, truncate on staging.%I, staging.%I to roster_edit',
                 'raw_enrollments_' || run, 'raw_rejects_' || run);
end
$$;

-- A table made apart becomes the run's part of a staging table. Where there is one already (the run is read again), its rows are
-- exchanged: exchanging the table would lock every district.
create function staging.take_part(parent text, run bigint, made text) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  part constant text := parent || '_' || run;
  names text;
begin
  if to_regclass(format('staging.%I', part)) is null then
    execute format('alter table staging.%I rename to %I', made, part);
    execute format('alter table staging.%I attach partition staging.%I for values in (%s)', parent, part, run);
    return;
  end if;
  select string_agg(quote_ident(attname), ', ' order by attnum) into names
  from pg_attribute where attrelid = format('staging.%I', part)::regclass and attnum > 0 and not attisdropped;
  execute format('truncate staging.%I', part);
  execute format('insert into staging.%I (%s) select %s from staging.%I', part, names, names, made);
  execute format('drop table staging.%I', made);
end
$$;
revoke all on function staging.take_part(text, bigint, text) from public;

-- The copied enrolments become the run's, without the columns that a file had beyond, and the unusual ones are set aside: one
-- pass, one hash join a side, by CREATE TABLE AS, in which workers take part (INSERT has none; PostgreSQL 18.4).
create function staging.take_enrollments(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  raw constant text := 'raw_enrollments_' || run;
  spares text;
begin
  select string_agg(format('drop column %I', attname), ', ') into spares
  from pg_attribute where attrelid = format('staging.%I', raw)::regclass and attname like 'spare\_%' and not attisdropped;
  if spares is not null then
    execute format('alter table staging.%I %s', raw, spares);
  end if;
  execute format('revoke insert, delete, truncate on staging.%I from roster_edit', raw);
  perform staging.take_part('enrollments', run, raw);
  execute format('analyze staging.%I (run_id, class_source_id, user_source_id)', 'enrollments_' || run);
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select %2$s::bigint as run_id, e.ctid as place, c.n as class_n, u.n as user_n,
      btrim(e.class_source_id) as class_source_id, btrim(e.user_source_id) as user_source_id,
      staging.as_role(e.role) as role, staging.as_primary(e.is_primary, e.role) as is_primary, staging.as_active(e.status) as is_active,
      coalesce(b.day, staging.as_day(e.begins_on)) as begins_on, coalesce(x.day, staging.as_day(e.ends_on)) as ends_on,
      e.source_id is null or e.class_source_id is null or e.user_source_id is null as is_rejected,
      nullif(array_remove(array[
        case when b.day is null and e.begins_on <> '' and staging.as_day(e.begins_on) is null then 'begins_on' end,
        case when x.day is null and e.ends_on <> '' and staging.as_day(e.ends_on) is null then 'ends_on' end], null), '{}') as keep,
      c.school is null or c.school is distinct from u.school as is_elsewhere,
      e.class_source_id <> btrim(e.class_source_id) or e.user_source_id <> btrim(e.user_source_id) as is_padded
    from staging.%3$I e
    left join (
      select c.n, c.source_id, case when c.status = 'active' and not c.is_rejected and not 'school_id' = any (c.keep) then s.source_id end as school
      from staging.%4$I c left join staging.%6$I s on s.source_id = c.school_source_id and s.status = 'active' and not s.is_rejected
    ) c on c.source_id = e.class_source_id
    left join (
      select u.n, u.source_id, case when u.status = 'active' and not u.is_rejected then u.school_source_ids[1] end as school from staging.%5$I u
    ) u on u.source_id = e.user_source_id
    left join sync.days b on b.written = e.begins_on
    left join sync.days x on x.written = e.ends_on
    where c.school is null or c.school is distinct from u.school -- also where there is no such class, or no such person
      or e.source_id is null or not staging.as_active(e.status) or staging.as_role(e.role) is null
      or (b.day is null and e.begins_on <> '') or (x.day is null and e.ends_on <> '')
    $made$, 'raw_unusual_' || run, run, 'enrollments_' || run, 'classes_' || run, 'users_' || run, 'schools_' || run);
  perform staging.take_part('unusual_enrollments', run, 'raw_unusual_' || run);
end
$$;
revoke all on function staging.take_enrollments(bigint) from public;
grant execute on function staging.take_enrollments(bigint) to roster_edit;

-- The enrolments of a plan, made anew each time by CREATE TABLE AS again: on a first load every line of the feed, in the order of
-- the portal's index, which then fills from one end to the other. `add`: active in the feed and not in the portal; `differs`:
-- anything else that is not the same on both sides, for plan/enrollments.sql to judge. What is the same never leaves the join.
-- n: a line that names an enrolment once more. Apart from the plan, so that a second connection can do it beside the rest.
alter table staging.plan alter column run_id drop not null, alter column entity drop not null, alter column kind drop not null,
  alter column action drop not null, alter column phase drop not null; -- as above
create function staging.join_enrollments(run bigint, district bigint, is_reset boolean) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  execute format('drop table if exists staging.%I', 'joined_' || run);
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select %2$s::bigint as run_id, 'enrollments' as entity, 'enrollments' as kind,
      case when e.class_id is null then 'add' else 'differs' end as action, 'adds' as phase,
      null::bigint as row_id,
      nullif(row_number() over (partition by coalesce(f.class_id, e.class_id), coalesce(f.user_id, e.user_id)), 1)::integer as n,
      null::text as source_id, coalesce(f.class_id, e.class_id) as class_id, coalesce(f.user_id, e.user_id) as user_id,
      null::bigint as school_id, coalesce(f.role, e.role) as role, f.is_primary, f.is_active, f.begins_on, f.ends_on,
      case when f.keeps_dates then '{keeps_dates}'::text[] end as changed
    from (select * from staging.resolved_enrollments where run_id = %2$s) f
    full join (
      select x.class_id, x.user_id, x.role, x.is_primary, x.is_active, x.begins_on, x.ends_on, x.origin
      from portal.enrollments x join portal.classes c on c.id = x.class_id where c.district_id = %3$s) e
      on e.class_id = f.class_id and e.user_id = f.user_id and e.role = f.role
    where case when f.class_id is null then e.is_active or %4$L
      when e.class_id is null then f.is_active
      else not f.is_active or not e.is_active
        or (e.origin = 'sync' and (f.is_primary <> e.is_primary
            or (not f.keeps_dates and (f.begins_on is distinct from e.begins_on or f.ends_on is distinct from e.ends_on)))) end
    $made$, 'joined_' || run, run, district, is_reset);
  execute format('analyze staging.%I (class_id, action)', 'joined_' || run);
end
$$;
-- They become the plan's.
create function staging.plan_enrollments(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  part constant text := 'plan_' || run || '_enrollments';
begin
  execute format('drop table if exists staging.%I', part);
  execute format('alter table staging.%I rename to %I', 'joined_' || run, part);
  execute format('alter table staging.%I attach partition staging.%I for values in (%L)', 'plan_' || run, part, 'enrollments');
end
$$;
revoke all on function staging.join_enrollments(bigint, bigint, boolean), staging.plan_enrollments(bigint) from public;
grant execute on function staging.join_enrollments(bigint, bigint, boolean), staging.plan_enrollments(bigint) to roster_edit, roster_reset;

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

create or replace function staging.drop_run(run bigint) returns bigint
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  parent text;
  dropped bigint := 0;
begin
  foreach parent in array array['schools', 'users', 'classes', 'enrollments', 'unusual_enrollments', 'terms', 'resolved', 'plan', 'joined'] loop
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
             where i.inhparent = 'staging.typed_before'::regclass loop
    execute format('alter table staging.typed_before detach partition staging.%I', 'enrollments_' || run);
    execute format('alter table staging.%I rename to %I', 'enrollments_' || run, 'typed_' || run);
    perform staging.open_raw(run);
    execute format($moved$
      insert into staging.%I (source_id, status, class_source_id, user_source_id, role, is_primary, begins_on, ends_on)
      select case when not e.is_rejected then '-' end, case when not e.is_active then 'tobedeleted' end,
        coalesce(c.source_id, e.class_source_id), coalesce(u.source_id, e.user_source_id), coalesce(e.role, 'other'),
        e.is_primary::text, coalesce(e.begins_on::text, case when 'begins_on' = any (e.keep) then '?' end),
        coalesce(e.ends_on::text, case when 'ends_on' = any (e.keep) then '?' end)
      from staging.%I e
      left join staging.%I c on c.n = e.class_n
      left join staging.%I u on u.n = e.user_n
      $moved$, 'raw_enrollments_' || run, 'typed_' || run, 'classes_' || run, 'users_' || run);
    execute format('drop table staging.%I', 'typed_' || run);
    perform staging.take_enrollments(run);
    perform staging.close_raw(run);
  end loop;
end
$$;
drop table staging.typed_before;
drop function staging.type_enrollments(bigint);
alter table staging.resolved drop column school_id;

-- Nearly everyone is on most nights as they were the night before: said when their id is looked up, so that no later step of a
-- plan looks at them again.
alter table staging.resolved
  add column is_plain boolean not null default false, -- users: nothing of them changes, nor where they stand, nor what they count as
  add column role text; -- of those, the portal's
