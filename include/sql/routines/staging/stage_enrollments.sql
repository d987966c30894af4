-- Stages the run's enrollments out of raw_enrollments_<run>: typed and numbered (staging.enrollments), and the few
-- unusual ones again with the texts that findings and pages show (staging.unusual_enrollments).
create or replace function staging.stage_enrollments(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  perform staging.type_enrollments(run);
  -- else the planner takes half of them for unusual
  execute format('analyze staging.%I (is_unusual)', 'enrollments_' || run || '_rows');
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select e.run_id, e.place, e.class_n, e.user_n, btrim(r.class_source_id) as class_source_id,
      btrim(r.user_source_id) as user_source_id, e.role, e.is_primary, e.is_active, e.begins_on, e.ends_on,
      e.is_rejected,
      case when e.keeps_dates then array_remove(array[
        case when e.begins_on is null and r.begins_on <> '' then 'begins_on' end,
        case when e.ends_on is null and r.ends_on <> '' then 'ends_on' end], null) end as keep,
      e.is_elsewhere,
      (r.class_source_id <> btrim(r.class_source_id)
        or r.user_source_id <> btrim(r.user_source_id)) is true as is_padded
    from staging.%2$I e
    join staging.%3$I r on r.ctid = e.place
    where e.is_unusual
    $made$, 'made_unusual_' || run, 'enrollments_' || run || '_rows', 'raw_enrollments_' || run);
  perform staging.replace_partition('unusual_enrollments_' || run, 'rows', 'made_unusual_' || run, run::text);
end
$$;
comment on function staging.stage_enrollments is
  'Turns a run''s raw enrollments into staged ones and sets the unusual ones aside.';
revoke all on function staging.stage_enrollments from public;
grant execute on function staging.stage_enrollments to roster_edit;
