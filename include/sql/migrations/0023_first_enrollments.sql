-- A first load plans its enrolments in one pass. See docs/adr/0014-enrolments-beside-the-rest.md.

-- Where the portal has no enrolment of the district there is nothing to join: every active line comes in. By one process: workers would
-- hand each line over, which costs more than they save (0.72 s instead of 0.87 for 500,000), and what runs beside has the other processor.
create function staging.list_enrollments(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp set max_parallel_workers_per_gather = 0 as $$
begin
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select %2$s::bigint as run_id, 'enrollments' as entity, 'enrollments' as kind, 'add' as action, 'adds' as phase, null::bigint as row_id,
      nullif(row_number() over (partition by f.class_id, f.user_id), 1)::integer as n,
      null::text as source_id, f.class_id, f.user_id, null::bigint as school_id, f.role, f.is_primary, true as is_active, f.begins_on, f.ends_on,
      case when f.keeps_dates then '{keeps_dates}'::text[] end as changed
    from (
      select $1[l.class_n] as class_id, $2[l.user_n] as user_id, l.role, l.is_primary, l.begins_on, l.ends_on, l.keeps_dates
      from staging.%3$I l
      where l.is_active and l.role is not null and not l.is_rejected and $1[l.class_n] > 0 and $2[l.user_n] > 0) f
    $made$, 'made_plan_' || run, run, 'enrollments_' || run || '_rows')
  using staging.ids_by_number(run, 'classes'), staging.ids_by_number(run, 'users');
end
$$;
revoke all on function staging.list_enrollments(bigint) from public;

-- Where it has some, both sides are joined, as 0020 has it, in parts that a processor's cache holds: little comes out, and a hash table
-- of all goes to and fro. Written to files and read again they take two thirds of the time.
create function staging.compare_enrollments(run bigint, district bigint, is_reset boolean) returns void
language plpgsql security definer set search_path = staging, pg_temp set work_mem = '1MB' set plan_cache_mode = force_generic_plan as $$
begin
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
end
$$;
revoke all on function staging.compare_enrollments(bigint, bigint, boolean) from public;

-- The enrolments of a plan, made anew each time: what comes in (`add`), in the order of the portal's index, and what is not the same on
-- both sides (`differs`), for plan/enrollments.sql to judge. n: a line that names an enrolment once more.
create or replace function staging.join_enrollments(run bigint, district bigint, is_reset boolean, out adding bigint, out differing bigint, out repeated bigint)
language plpgsql security definer set search_path = staging, pg_temp set work_mem = '256MB' as $$
begin
  execute format('drop table if exists staging.%I', 'made_plan_' || run);
  if exists (select from portal.enrollments x join portal.classes c on c.id = x.class_id where c.district_id = district) then
    perform staging.compare_enrollments(run, district, is_reset);
  else
    perform staging.list_enrollments(run);
  end if;
  execute format('analyze staging.%I (class_id, action)', 'made_plan_' || run);
  -- mostly there is little of each: what would look for them need not look at half a million lines where there are none
  execute format('select count(*) filter (where action = ''add''), count(*) filter (where action = ''differs''), count(n) from staging.%I',
                 'made_plan_' || run) into adding, differing, repeated;
end
$$;
