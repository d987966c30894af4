-- Finds the portal person of each person of the feed by source id, and whether anything about them changes: the widest
-- join of a plan. Makes the run's part of staging.resolved for people anew.
-- is_same: every value is what the portal has. is_simple: also of the portal's role, and listed in exactly one school,
-- a selected one of the feed, where the portal has them and nowhere else.
-- run, district, by_issuer: whose. listed, listed_ids: schools as people list them, and their portal ids.
-- known: the district's schools in the portal. good: those of them that are in the feed and selected.
-- Arrays, because parallel workers see no temporary table (PostgreSQL 18.4).
create or replace function staging.match_users_by_id(
  run bigint, district bigint, by_issuer text, listed text[], listed_ids bigint[], known bigint[], good bigint[])
returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  in_many constant bigint[] := array(
    select us.user_id from portal.user_schools us where us.school_id = any (known)
    group by us.user_id having count(*) > 1);
begin
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select %2$s::bigint as run_id, 'users' as entity, d.source_id, d.n, d.id as row_id, 'key' as how,
      false as is_gone, d.is_same,
      (d.is_same and d.is_as_it_was and us.is_active and us.origin = 'sync' and us.school_id = any ($4)
        and d.id <> all ($5)
        and us.is_primary = (d.first_school is not distinct from d.primary_school_source_id)) is true as is_simple,
      d.role, null::bigint as school_id, null::boolean as is_primary
    from (
      select s.source_id, s.n, p.id, p.role, s.school_source_ids[1] as first_school, s.primary_school_source_id,
        s.keep = '{}' and s.given_name is not distinct from p.given_name
          and s.family_name is not distinct from p.family_name
          and s.email is not distinct from p.email and s.username is not distinct from p.username
          and s.grade is not distinct from p.grade and s.sis_id is not distinct from p.sis_id
          and (s.state_id is null or s.state_id is not distinct from p.state_id)
          and (s.is_enabled is null or (s.is_enabled = p.is_enabled
            and s.is_enabled is not distinct from p.is_enabled_at_source)) as is_same,
        p.is_shared and p.origin = 'sync' and s.status = 'active' and not s.is_rejected and p.role = any (s.roles)
          and cardinality(s.school_source_ids) = 1 as is_as_it_was
      from staging.%3$I s
      join portal.users p on p.district_id = %4$s and p.source_id = s.source_id and p.issuer = $1) d
    left join unnest($2, $3) i (source_id, id) on i.source_id = d.first_school
    left join portal.user_schools us on us.user_id = d.id and us.school_id = i.id
    $made$, 'made_resolved_' || run, run, 'users_' || run || '_rows', district)
  using by_issuer, listed, listed_ids, good, in_many;
  perform staging.replace_partition('resolved_' || run, 'users', 'made_resolved_' || run, 'users');
end
$$;
comment on function staging.match_users_by_id is
  'Finds the portal person of each person of a run''s feed by source id, and whether anything about them changes.';
revoke all on function staging.match_users_by_id from public;
grant execute on function staging.match_users_by_id to roster_edit, roster_reset;
