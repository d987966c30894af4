-- Makes the enrollments that staging.join_enrollments listed a part of the run's plan.
create or replace function staging.plan_enrollments(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  perform staging.replace_partition('plan_' || run, 'enrollments', 'made_plan_' || run, 'enrollments');
end
$$;
comment on function staging.plan_enrollments is 'Puts a run''s compared enrollments into its plan.';
revoke all on function staging.plan_enrollments from public;
grant execute on function staging.plan_enrollments to roster_edit, roster_reset;
