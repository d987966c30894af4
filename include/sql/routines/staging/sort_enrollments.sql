-- Sorts the enrollments of a first load as the portal's index will hold them, while people and classes are still being
-- resolved, when the other processor is free. See docs/adr/0014-enrollments-in-parallel.md.
-- School by school and class by class, the order in which new ones get their ids (plan/resolve_schools.sql and
-- plan/resolve_classes.sql). Makes sorted_enrollments_<run>; nothing where the portal has enrollments of the district,
-- which are joined in no order, nor where a line names an enrollment once more, which happens in few districts
-- (staging.list_enrollments finds those).
create or replace function staging.sort_enrollments(run bigint, district bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp set max_parallel_workers_per_gather = 0
set work_mem = '256MB' as $$
declare
  has_repeated boolean;
begin
  execute format('drop table if exists staging.%I', 'sorted_enrollments_' || run);
  if exists (
      select from portal.enrollments x join portal.classes c on c.id = x.class_id where c.district_id = district) then
    return;
  end if;
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select l.class_n, l.user_n, l.role, l.is_primary, l.begins_on, l.ends_on, l.keeps_dates,
      nullif(row_number() over (partition by c.place, l.user_n), 1)::integer as n
    from staging.%2$I l
    join (select n, row_number() over (order by school_source_id, n)::integer as place from staging.%3$I) c
      on c.n = l.class_n
    where l.is_active and l.role is not null and not l.is_rejected and l.user_n is not null
    $made$, 'sorted_enrollments_' || run, 'enrollments_' || run || '_rows', 'classes_' || run);
  execute format('select count(n) > 0 from staging.%I', 'sorted_enrollments_' || run) into has_repeated;
  if has_repeated then
    execute format('drop table staging.%I', 'sorted_enrollments_' || run);
  end if;
end
$$;
comment on function staging.sort_enrollments is
  'Sorts the enrollments of a first load before their portal ids are known.';
revoke all on function staging.sort_enrollments from public;
grant execute on function staging.sort_enrollments to roster_edit, roster_reset;
