-- Lists the enrollments of a plan where the portal has none of the district: there is nothing to join, so every active
-- line is an add. Makes made_plan_<run>; the caller is staging.join_enrollments. By one process: workers would hand
-- each line over, which costs more than they save (0.87 s instead of 0.72 s for 500,000), and the parallel connection
-- needs the other processor.
create or replace function staging.list_enrollments(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp set max_parallel_workers_per_gather = 0 as $$
begin
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select %2$s::bigint as run_id, 'enrollments' as entity, 'enrollments' as kind, 'add' as action, 'adds' as phase,
      null::bigint as row_id, nullif(row_number() over (partition by f.class_id, f.user_id), 1)::integer as n,
      null::text as source_id, f.class_id, f.user_id, null::bigint as school_id, f.role, f.is_primary,
      true as is_active, f.begins_on, f.ends_on, case when f.keeps_dates then '{keeps_dates}'::text[] end as changed
    from (
      select $1[l.class_n] as class_id, $2[l.user_n] as user_id,
        l.role, l.is_primary, l.begins_on, l.ends_on, l.keeps_dates
      from staging.%3$I l
      where l.is_active and l.role is not null and not l.is_rejected and $1[l.class_n] > 0 and $2[l.user_n] > 0) f
    $made$, 'made_plan_' || run, run, 'enrollments_' || run || '_rows')
  using staging.ids_by_number(run, 'classes'), staging.ids_by_number(run, 'users');
end
$$;
comment on function staging.list_enrollments is 'Plans every active enrollment of a run as an add.';
revoke all on function staging.list_enrollments from public;
