-- Compares a run's enrollments with the portal's. Makes the table made_plan_<run>, anew each time: `add` is what is
-- active in the feed and not in the portal, in the order of the portal's index, which then fills from one end to the
-- other; `differs` is anything else that is not the same on both sides, for plan/enrollments.sql to judge. What is the
-- same never leaves the join. A column n that is not null marks a line that names an enrollment once more.
-- Apart from the plan, so that a second connection can do it in parallel with the rest.
-- run, district: whose. is_reset: an ended enrollment that is not in the feed differs, too.
-- adding, differing, repeated: how many lines of each there are.
create or replace function staging.join_enrollments(
  run bigint, district bigint, is_reset boolean, out adding bigint, out differing bigint, out repeated bigint)
language plpgsql security definer set search_path = staging, pg_temp set work_mem = '256MB' as $$
begin
  execute format('drop table if exists staging.%I', 'made_plan_' || run);
  if to_regclass(format('staging.%I', 'sorted_enrollments_' || run)) is not null
      and not exists (
        select from portal.enrollments x join portal.classes c on c.id = x.class_id where c.district_id = district)
      and not exists (
        select from staging.resolved r
        where r.run_id = run and r.entity in ('users', 'classes') and r.how <> 'new') then
    adding := staging.list_sorted_enrollments(run);
    differing := 0;
    repeated := 0;
  else
    if exists (
        select from portal.enrollments x join portal.classes c on c.id = x.class_id where c.district_id = district) then
      perform staging.compare_enrollments(run, district, is_reset);
    else
      perform staging.list_enrollments(run);
    end if;
    -- Mostly there are few of each: what looks for them need not read half a million lines where there are none.
    execute format($counted$
      select count(*) filter (where action = 'add'), count(*) filter (where action = 'differs'), count(n)
      from staging.%I
      $counted$, 'made_plan_' || run) into adding, differing, repeated;
  end if;
  execute format('drop table if exists staging.%I', 'sorted_enrollments_' || run);
  -- The check proves here, in parallel with the rest, what attaching the table to the plan would otherwise read it for.
  execute format('alter table staging.%I add
                  check (run_id is not null and run_id = %s and entity is not null and entity = ''enrollments'')',
                 'made_plan_' || run, run);
  execute format('analyze staging.%I (class_id, action)', 'made_plan_' || run);
end
$$;
comment on function staging.join_enrollments is
  'Compares a run''s enrollments with the portal''s: the enrollments of the plan, and how many there are of each kind.';
revoke all on function staging.join_enrollments from public;
grant execute on function staging.join_enrollments to roster_edit, roster_reset;
