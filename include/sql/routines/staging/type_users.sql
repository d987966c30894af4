-- Stages the people of a run as typed rows, with the portal roles that their words map to. Contacts, parents, guardians
-- and relatives are not ours and leave no trace. In: the run's raw_users and raw_roles. Makes its part of staging.users
-- anew. By CREATE TABLE AS, in which parallel workers take part; INSERT ... SELECT has none (PostgreSQL 18.4). Short
-- cuts for the many who are written in one word each come first; lists are built only for the others.
create or replace function staging.type_users(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  execute format($made$
    create unlogged table staging.%I with (autovacuum_enabled = false) as
    select btrim(r.user_source_id) as source_id,
      array_agg(distinct lower(btrim(r.role))) filter (where staging.as_active(r.status)) as words,
      array_agg(distinct btrim(r.org_source_id)) filter (
        where staging.as_active(r.status) and btrim(r.org_source_id) <> '') as orgs,
      min(btrim(r.org_source_id)) filter (where lower(r.role_type) = 'primary') as primary_org
    from staging.%I r where btrim(r.user_source_id) <> '' group by btrim(r.user_source_id)
    $made$, 'made_words_' || run, 'raw_roles_' || run);
  execute format('analyze staging.%I', 'made_words_' || run);
  execute format('analyze staging.%I (source_id)', 'raw_users_' || run);
  execute format($made$
    create unlogged table staging.%4$I with (autovacuum_enabled = false) as
    select
      %1$s::bigint as run_id, p.n, nullif(staging.trimmed(p.source_id), '') as source_id,
      staging.as_status(p.status) as status,
      p.words as source_roles,
      case when p.words = '{student}' then '{student}'::text[] when p.words = '{teacher}' then '{teacher}'
        else array_remove(array[
          case when 'teacher' = any (p.words) then 'teacher' end,
          case when p.words && array['administrator', 'siteadministrator', 'principal'] then 'school_admin' end,
          case when p.words && array['districtadministrator', 'district_admin'] then 'district_admin' end,
          case when 'student' = any (p.words) then 'student' end], null) end as roles,
      case when p.role_orgs is null and (p.primary_org_source_id is null
          or coalesce(btrim(p.primary_org_source_id), '') = '' or btrim(p.primary_org_source_id) = any (p.listed))
          then p.listed
        when p.listed = '{}' and p.primary_org_source_id is null then p.role_orgs -- which has each once
        else staging.distinct_ids(p.listed || p.role_orgs
          || coalesce(nullif(array[btrim(p.primary_org_source_id)], array['']), '{}')) end as school_source_ids,
      coalesce(nullif(btrim(p.primary_org_source_id), ''), p.primary_org, p.listed[1]) as primary_school_source_id,
      case when p.is_address then p.trimmed_email end as email,
      nullif(staging.trimmed(p.username), '') as username, nullif(staging.trimmed(p.given_name), '') as given_name,
      nullif(staging.trimmed(p.family_name), '') as family_name, g.grade,
      nullif(staging.trimmed(p.identifier), '') as sis_id,
      coalesce(nullif(btrim(p.state_id), ''),
        nullif(btrim(split_part(split_part(substr(p.user_ids, p.state_at), ':', 2), '}', 1)), '')) as state_id,
      case when p.is_enabled is null or p.is_enabled = 'true' then p.is_enabled = 'true'
        else case lower(btrim(p.is_enabled))
          when 'true' then true when '1' then true when 'false' then false when '0' then false end end as is_enabled,
      p.source_id is null or btrim(p.source_id) = '' as is_rejected,
      case when (p.is_address or p.trimmed_email is null) and (g.grade is not null or p.first_grade is null)
          and staging.trimmed(p.given_name) <> '' and staging.trimmed(p.family_name) <> ''
        then '{}'::text[]
        else array_remove(array[
          case when p.trimmed_email <> '' and not p.is_address then 'email' end,
          case when btrim(p.first_grade) <> '' and g.grade is null then 'grade' end,
          case when coalesce(btrim(p.given_name), '') = '' then 'given_name' end,
          case when coalesce(btrim(p.family_name), '') = '' then 'family_name' end], null) end as keep
    from (
      select u.*, staging.planner_fence() as fence, w.orgs as role_orgs, w.primary_org,
        case when w.words is not null then w.words
             when u.role = 'student' then '{student}' when u.role = 'teacher' then '{teacher}'
             when u.role is null or btrim(u.role) = '' then '{}'::text[]
             when strpos(u.role, ',') = 0 then array[lower(btrim(u.role))]
             else staging.split_words(u.role) end as words,
        case when u.org_source_ids is null then '{}'::text[]
             when strpos(u.org_source_ids, ',') = 0 then array[staging.trimmed(u.org_source_ids)]
             else staging.split_list(u.org_source_ids) end as listed,
        case when strpos(u.grades, ',') = 0 then u.grades else split_part(u.grades, ',', 1) end as first_grade,
        staging.trimmed(u.email) as trimmed_email,
        -- {type:id} pairs; a regular expression costs five times as much
        coalesce(nullif(strpos(u.user_ids, '{State'), 0), nullif(strpos(lower(u.user_ids), '{state'), 0)) as state_at,
        staging.trimmed(u.email) ~ '^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:].]+$' as is_address
      from staging.%2$I u left join staging.%3$I w on w.source_id = staging.trimmed(u.source_id)
    ) p left join sync.grades g on g.written = lower(staging.trimmed(p.first_grade))
    where p.words in ('{student}', '{teacher}', '{}')
      or not p.words <@ array['contact', 'parent', 'guardian', 'relative']
    $made$, run, 'raw_users_' || run, 'made_words_' || run, 'made_users_' || run);
  perform staging.replace_partition('users_' || run, 'rows', 'made_users_' || run, run::text);
  execute format('drop table staging.%I', 'made_words_' || run);
end
$$;
comment on function staging.type_users is 'Types the people of a run, with the portal roles that their words map to.';
revoke all on function staging.type_users from public;
grant execute on function staging.type_users to roster_edit;
