-- Compares the enrollments of feed and portal where the portal already has some of the district: a full join, of which
-- only what differs comes out. Makes made_plan_<run>; the caller is staging.join_enrollments.
-- run, district: whose. is_reset: an ended enrollment that is not in the feed differs, too.
-- work_mem is small on purpose: a hash table that fits into the processor's cache, written to files and read again in
-- parts, takes two thirds of the time of one for all lines (PostgreSQL 18.4).
create or replace function staging.compare_enrollments(run bigint, district bigint, is_reset boolean) returns void
language plpgsql security definer set search_path = staging, pg_temp set work_mem = '1MB'
set plan_cache_mode = force_generic_plan as $$
begin
  -- Prepared, with a generic plan: otherwise the arrays become a part of the plan and are written out as text for each
  -- worker. A failed try in this session may have left it behind: PREPARE is not rolled back.
  if exists (select from pg_prepared_statements where name = 'roster_join') then
    deallocate roster_join;
  end if;
  execute format($made$
    prepare roster_join (bigint[], bigint[]) as
    select %1$s::bigint as run_id, 'enrollments' as entity, 'enrollments' as kind,
      case when e.class_id is null then 'add' else 'differs' end as action, 'adds' as phase,
      null::bigint as row_id,
      nullif(row_number() over (
        partition by coalesce(f.class_id, e.class_id), coalesce(f.user_id, e.user_id)), 1)::integer as n,
      null::text as source_id, coalesce(f.class_id, e.class_id) as class_id, coalesce(f.user_id, e.user_id) as user_id,
      null::bigint as school_id, coalesce(f.role, e.role) as role, f.is_primary, f.is_active, f.begins_on, f.ends_on,
      case when f.keeps_dates then '{keeps_dates}'::text[] end as changed
    from (
      select $1[l.class_n] as class_id, $2[l.user_n] as user_id,
        l.role, l.is_primary, l.is_active, l.begins_on, l.ends_on, l.keeps_dates
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
            or (not f.keeps_dates
                and (f.begins_on is distinct from e.begins_on or f.ends_on is distinct from e.ends_on)))) end
    $made$, run, district, is_reset, 'enrollments_' || run || '_rows');
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    execute roster_join (staging.ids_by_number(%2$s, 'classes'), staging.ids_by_number(%2$s, 'users'))
    $made$, 'made_plan_' || run, run);
  deallocate roster_join;
end
$$;
comment on function staging.compare_enrollments is
  'Joins a run''s enrollments with those of the district in the portal, and keeps what differs.';
revoke all on function staging.compare_enrollments from public;
