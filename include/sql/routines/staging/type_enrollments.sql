-- The typed enrollments of a run: class and person by their number in the feed, roles, flags and days as values.
-- Makes the run's part of staging.enrollments anew from raw_enrollments_<run>; the caller is staging.stage_enrollments.
-- An enrollment whose own id, or whose class's or person's, is blank is rejected, as a person's or a class's row is.
-- One pass, one hash join a side, by CREATE TABLE AS, in which workers take part (INSERT has none; PostgreSQL 18.4).
-- The looked-up tables are kept small enough for a processor's cache: a school is its place in a list, and only days
-- near today are looked up; the others are parsed.
create or replace function staging.type_enrollments(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  execute format('analyze staging.%I (class_source_id, user_source_id)', 'raw_enrollments_' || run);
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select %2$s::bigint as run_id, e.ctid as place, c.n as class_n, u.n as user_n,
      coalesce(b.day, staging.as_day(e.begins_on)) as begins_on, coalesce(x.day, staging.as_day(e.ends_on)) as ends_on,
      staging.as_role(e.role) as role, staging.as_primary(e.is_primary, e.role) as is_primary,
      staging.as_active(e.status) as is_active,
      staging.is_blank(e.source_id) or (c.n is null and staging.is_blank(e.class_source_id))
        or (u.n is null and staging.is_blank(e.user_source_id)) as is_rejected, -- an id that was found is not blank
      ((b.day is null and e.begins_on <> '' and staging.as_day(e.begins_on) is null)
        or (x.day is null and e.ends_on <> '' and staging.as_day(e.ends_on) is null)) is true as keeps_dates,
      (c.school = u.school) is not true as is_elsewhere,
      (c.school = u.school -- neither is null: a class and a person of the feed
        and not staging.is_blank(e.source_id) and staging.as_active(e.status) and staging.as_role(e.role) is not null
        and (b.day is not null or e.begins_on is null or e.begins_on = '' or staging.as_day(e.begins_on) is not null)
        and (x.day is not null or e.ends_on is null or e.ends_on = '' or staging.as_day(e.ends_on) is not null)
      ) is not true as is_unusual
    from staging.%3$I e
    left join (
      select c.n, c.source_id,
        case when c.status = 'active' and not c.is_rejected and not 'school_id' = any (c.keep) then s.n end as school
      from staging.%4$I c left join unnest($1) with ordinality s (id, n) on s.id = c.school_source_id
    ) c on c.source_id = e.class_source_id
    left join (
      select u.n, u.source_id, case when u.status = 'active' and not u.is_rejected then s.n end as school
      from staging.%5$I u left join unnest($1) with ordinality s (id, n) on s.id = u.school_source_ids[1]
    ) u on u.source_id = e.user_source_id
    left join (select * from sync.days where day between current_date - 800 and current_date + 800) b
      on b.written = e.begins_on
    left join (select * from sync.days where day between current_date - 800 and current_date + 800) x
      on x.written = e.ends_on
    $made$, 'made_enrollments_' || run, run, 'raw_enrollments_' || run, 'classes_' || run, 'users_' || run || '_rows')
  using array(
    select distinct source_id from staging.schools where run_id = run and status = 'active' and not is_rejected);
  perform staging.replace_partition('enrollments_' || run, 'rows', 'made_enrollments_' || run, run::text);
end
$$;
comment on function staging.type_enrollments is
  'Types a run''s enrollments, with class and person by their number in the feed.';
revoke all on function staging.type_enrollments from public;
