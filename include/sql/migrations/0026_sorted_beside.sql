-- The enrolments of a first load are put in order while people and classes are still being recognised, by whom the other processor is not
-- needed. See docs/adr/0014-enrolments-beside-the-rest.md.

-- School by school and class by class, as new ones get their ids (plan/resolve_schools.sql, plan/resolve_classes.sql), before anybody knows
-- these: so that the portal's index then fills from one end to the other. Nothing where the portal has enrolments of the district,
-- which are joined, in no order; nor where a line names an enrolment once more, which few districts have (list_enrollments tells those).
create function staging.sort_enrollments(run bigint, district bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp set max_parallel_workers_per_gather = 0 set work_mem = '256MB' as $$
declare
  has_repeated boolean;
begin
  execute format('drop table if exists staging.%I', 'sorted_enrollments_' || run);
  if exists (select from portal.enrollments x join portal.classes c on c.id = x.class_id where c.district_id = district) then
    return;
  end if;
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select l.class_n, l.user_n, l.role, l.is_primary, l.begins_on, l.ends_on, l.keeps_dates,
      nullif(row_number() over (partition by c.place, l.user_n), 1)::integer as n
    from staging.%2$I l
    join (select n, row_number() over (order by school_source_id, n)::integer as place from staging.%3$I) c on c.n = l.class_n
    where l.is_active and l.role is not null and not l.is_rejected and l.user_n is not null
    $made$, 'sorted_enrollments_' || run, 'enrollments_' || run || '_rows', 'classes_' || run);
  execute format('select count(n) > 0 from staging.%I', 'sorted_enrollments_' || run) into has_repeated;
  if has_repeated then
    execute format('drop table staging.%I', 'sorted_enrollments_' || run);
  end if;
end
$$;
revoke all on function staging.sort_enrollments(bigint, bigint) from public;
grant execute on function staging.sort_enrollments(bigint, bigint) to roster_edit, roster_reset;

-- Out of what is sorted: each number stands for a row of its own where all people and classes are new. Else two numbers may be one
-- (a person's former id beside the present one), and lines that are the same are only told once ids stand for the numbers.
create function staging.list_sorted_enrollments(run bigint) returns bigint
language plpgsql security definer set search_path = staging, pg_temp set max_parallel_workers_per_gather = 0 as $$
declare
  listed bigint;
begin
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select %2$s::bigint as run_id, 'enrollments' as entity, 'enrollments' as kind, 'add' as action, 'adds' as phase, null::bigint as row_id,
      null::integer as n, null::text as source_id, $1[l.class_n] as class_id, $2[l.user_n] as user_id, null::bigint as school_id, l.role, l.is_primary,
      true as is_active, l.begins_on, l.ends_on, case when l.keeps_dates then '{keeps_dates}'::text[] end as changed
    from staging.%3$I l
    where $1[l.class_n] > 0 and $2[l.user_n] > 0
    $made$, 'made_plan_' || run, run, 'sorted_enrollments_' || run)
  using staging.ids_by_number(run, 'classes'), staging.ids_by_number(run, 'users');
  get diagnostics listed = row_count;
  return listed;
end
$$;
revoke all on function staging.list_sorted_enrollments(bigint) from public;

-- As 0023 has it, and by that where it can. The part is proved to be the plan's here, as this is beside the rest: attaching it reads nothing.
create or replace function staging.join_enrollments(run bigint, district bigint, is_reset boolean, out adding bigint, out differing bigint, out repeated bigint)
language plpgsql security definer set search_path = staging, pg_temp set work_mem = '256MB' as $$
begin
  execute format('drop table if exists staging.%I', 'made_plan_' || run);
  if to_regclass(format('staging.%I', 'sorted_enrollments_' || run)) is not null
      and not exists (select from portal.enrollments x join portal.classes c on c.id = x.class_id where c.district_id = district)
      and not exists (select from staging.resolved r where r.run_id = run and r.entity in ('users', 'classes') and r.how <> 'new') then
    adding := staging.list_sorted_enrollments(run);
    differing := 0;
    repeated := 0;
  else
    if exists (select from portal.enrollments x join portal.classes c on c.id = x.class_id where c.district_id = district) then
      perform staging.compare_enrollments(run, district, is_reset);
    else
      perform staging.list_enrollments(run);
    end if;
    -- mostly there is little of each: what would look for them need not look at half a million lines where there are none
    execute format('select count(*) filter (where action = ''add''), count(*) filter (where action = ''differs''), count(n) from staging.%I',
                   'made_plan_' || run) into adding, differing, repeated;
  end if;
  execute format('drop table if exists staging.%I', 'sorted_enrollments_' || run);
  execute format('alter table staging.%I add check (run_id is not null and run_id = %s and entity is not null and entity = ''enrollments'')',
                 'made_plan_' || run, run);
  execute format('analyze staging.%I (class_id, action)', 'made_plan_' || run);
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
      'made_plan', 'sorted_enrollments', 'raw_enrollments', 'raw_rejects', 'raw_users', 'raw_roles'] loop
    if to_regclass(format('staging.%I', parent || '_' || run)) is not null then
      execute format('drop table staging.%I', parent || '_' || run);
      dropped := dropped + 1;
    end if;
  end loop;
  return dropped;
end
$$;


-- The arrays of the join are read under a generic plan's setting; a generic plan of this one would lock the parts of all runs.
alter function staging.ids_by_number(bigint, text) set plan_cache_mode = force_custom_plan;
