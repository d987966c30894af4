-- Lists the enrollments of a first load's plan, out of what staging.sort_enrollments has sorted. Makes made_plan_<run>
-- and returns how many there are; the caller is staging.join_enrollments.
-- Only where all people and classes are new, so that each number means a row of its own. Otherwise two numbers may
-- mean one row (a person's former id next to the present one), and repeated lines show only by their portal ids.
create or replace function staging.list_sorted_enrollments(run bigint) returns bigint
language plpgsql security definer set search_path = staging, pg_temp set max_parallel_workers_per_gather = 0 as $$
declare
  listed bigint;
begin
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select %2$s::bigint as run_id, 'enrollments' as entity, 'enrollments' as kind, 'add' as action, 'adds' as phase,
      null::bigint as row_id, null::integer as n, null::text as source_id,
      $1[l.class_n] as class_id, $2[l.user_n] as user_id, null::bigint as school_id, l.role, l.is_primary,
      true as is_active, l.begins_on, l.ends_on, case when l.keeps_dates then '{keeps_dates}'::text[] end as changed
    from staging.%3$I l
    where $1[l.class_n] > 0 and $2[l.user_n] > 0
    $made$, 'made_plan_' || run, run, 'sorted_enrollments_' || run)
  using staging.ids_by_number(run, 'classes'), staging.ids_by_number(run, 'users');
  get diagnostics listed = row_count;
  return listed;
end
$$;
comment on function staging.list_sorted_enrollments is
  'Plans the sorted enrollments of a first load as adds and returns how many there are.';
revoke all on function staging.list_sorted_enrollments from public;
