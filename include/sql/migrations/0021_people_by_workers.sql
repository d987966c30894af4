-- People are typed and recognised by CREATE TABLE AS, in which workers take part; INSERT ... SELECT has none (PostgreSQL 18.4).

-- People and their roles land in tables of the run, too, as workers see no temporary one; gone when the run is staged, however that
-- ends (of a run that was killed at it: when it is staged again, or purged). A line has its number from the start: which worker types it does not matter.
create or replace function staging.close_raw(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  execute format('drop table if exists staging.%I, staging.%I, staging.%I, staging.%I',
                 'raw_enrollments_' || run, 'raw_rejects_' || run, 'raw_users_' || run, 'raw_roles_' || run);
end
$$;
create or replace function staging.open_raw(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  perform staging.close_raw(run);
  execute format('create unlogged table staging.%I (source_id text, status text, class_source_id text, user_source_id text, role text,
                  is_primary text, begins_on text, ends_on text) with (autovacuum_enabled = false)', 'raw_enrollments_' || run);
  execute format('create unlogged table staging.%I (collection text, rule text, message text, source_id text, line bigint, known jsonb)
                  with (autovacuum_enabled = false)', 'raw_rejects_' || run);
  execute format('create unlogged table staging.%I (n integer generated always as identity (cache 1000), source_id text, status text, is_enabled text,
                  org_source_ids text, role text, username text, user_ids text, given_name text, family_name text, identifier text, email text,
                  grades text, primary_org_source_id text, state_id text) with (autovacuum_enabled = false)', 'raw_users_' || run);
  execute format('create unlogged table staging.%I (source_id text, status text, user_source_id text, role_type text, role text,
                  org_source_id text) with (autovacuum_enabled = false)', 'raw_roles_' || run);
  execute format('grant select, insert, delete, truncate on staging.%I, staging.%I, staging.%I, staging.%I to roster_edit',
                 'raw_enrollments_' || run, 'raw_rejects_' || run, 'raw_users_' || run, 'raw_roles_' || run);
end
$$;

alter table staging.users alter column run_id drop not null, alter column n drop not null, alter column status drop not null,
  alter column source_roles drop not null, alter column roles drop not null, alter column school_source_ids drop not null,
  alter column is_rejected drop not null, alter column keep drop not null; -- what CREATE TABLE AS makes has none, and adding one reads it again
-- What a subquery with this in it works out is worked out once a row, however often it is used above: a volatile function keeps the
-- planner from merging the two. OFFSET 0 does so as well, but keeps the workers away (PostgreSQL 18.4). It is inlined, and costs nothing.
create function staging.once() returns integer language sql volatile parallel safe return 0;

-- Lists, taken apart. Functions, as a subquery that is correlated keeps the workers away.
create function staging.words_of(written text) returns text[] language sql immutable parallel safe
return (select array_agg(distinct lower(btrim(word))) from unnest(string_to_array(written, ',')) word);
create function staging.listed(written text) returns text[] language sql immutable parallel safe
return (select array_agg(btrim(o) order by place) from unnest(string_to_array(written, ',')) with ordinality t (o, place) where btrim(o) <> '');
create function staging.each_once(ids text[]) returns text[] language sql immutable parallel safe
return (select array_agg(distinct o) from unnest(ids) o where o is not null);

-- People, typed by workers, with the portal roles that their words map to; contacts, parents, guardians and relatives are nobody of
-- ours and leave no trace. In: the run's raw_users and raw_roles. Makes the run's part of staging.users anew.
create function staging.type_users(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  execute format($made$
    create unlogged table staging.%I with (autovacuum_enabled = false) as
    select btrim(r.user_source_id) as source_id,
      array_agg(distinct lower(btrim(r.role))) filter (where coalesce(lower(btrim(r.status)), '') not in ('tobedeleted', 'inactive')) as words,
      array_agg(distinct btrim(r.org_source_id)) filter (
        where coalesce(lower(btrim(r.status)), '') not in ('tobedeleted', 'inactive') and btrim(r.org_source_id) <> '') as orgs,
      min(btrim(r.org_source_id)) filter (where lower(r.role_type) = 'primary') as primary_org
    from staging.%I r where btrim(r.user_source_id) <> '' group by btrim(r.user_source_id)
    $made$, 'made_words_' || run, 'raw_roles_' || run);
  execute format('analyze staging.%I', 'made_words_' || run);
  execute format('analyze staging.%I (source_id)', 'raw_users_' || run);
  execute format($made$
    create unlogged table staging.%4$I with (autovacuum_enabled = false) as
    select
      %1$s::bigint as run_id, p.n, nullif(staging.trimmed(p.source_id), '') as source_id,
      case when p.status is null or p.status = 'active' or lower(btrim(p.status)) not in ('tobedeleted', 'inactive') then 'active' else 'tobedeleted' end as status,
      p.words as source_roles,
      -- the two arrays below are spelt out for the many before they are worked out for the few
      case when p.words = '{student}' then '{student}'::text[] when p.words = '{teacher}' then '{teacher}' else array_remove(array[
        case when 'teacher' = any (p.words) then 'teacher' end,
        case when p.words && array['administrator', 'siteadministrator', 'principal'] then 'school_admin' end,
        case when p.words && array['districtadministrator', 'district_admin'] then 'district_admin' end,
        case when 'student' = any (p.words) then 'student' end], null) end as roles,
      case when p.role_orgs is null and (p.primary_org_source_id is null or coalesce(btrim(p.primary_org_source_id), '') = '' or btrim(p.primary_org_source_id) = any (p.listed)) then p.listed
           when p.listed = '{}' and p.primary_org_source_id is null then p.role_orgs -- each stands there once
           else staging.each_once(p.listed || p.role_orgs || coalesce(nullif(array[btrim(p.primary_org_source_id)], array['']), '{}')) end as school_source_ids,
      coalesce(nullif(btrim(p.primary_org_source_id), ''), p.primary_org, p.listed[1]) as primary_school_source_id,
      case when p.is_address then p.trimmed_email end as email,
      nullif(staging.trimmed(p.username), '') as username, nullif(staging.trimmed(p.given_name), '') as given_name,
      nullif(staging.trimmed(p.family_name), '') as family_name, g.grade, nullif(staging.trimmed(p.identifier), '') as sis_id,
      coalesce(nullif(btrim(p.state_id), ''), nullif(btrim(split_part(split_part(substr(p.user_ids, p.state_at), ':', 2), '}', 1)), '')) as state_id,
      case when p.is_enabled is null or p.is_enabled = 'true' then p.is_enabled = 'true'
        else case lower(btrim(p.is_enabled)) when 'true' then true when '1' then true when 'false' then false when '0' then false end end as is_enabled,
      p.source_id is null or btrim(p.source_id) = '' as is_rejected,
      case when (p.is_address or p.trimmed_email is null) and (g.grade is not null or p.first_grade is null) and staging.trimmed(p.given_name) <> '' and staging.trimmed(p.family_name) <> ''
        then '{}'::text[] else array_remove(array[
        case when p.trimmed_email <> '' and not p.is_address then 'email' end,
        case when btrim(p.first_grade) <> '' and g.grade is null then 'grade' end,
        case when coalesce(btrim(p.given_name), '') = '' then 'given_name' end,
        case when coalesce(btrim(p.family_name), '') = '' then 'family_name' end], null) end as keep
    from (
      select u.*, staging.once() as fence, w.orgs as role_orgs, w.primary_org,
        -- nearly everyone is written in one of two words: only for the others is a list built
        case when w.words is not null then w.words
             when u.role = 'student' then '{student}' when u.role = 'teacher' then '{teacher}'
             when u.role is null or btrim(u.role) = '' then '{}'::text[]
             when strpos(u.role, ',') = 0 then array[lower(btrim(u.role))]
             else staging.words_of(u.role) end as words,
        case when u.org_source_ids is null then '{}'::text[]
             when strpos(u.org_source_ids, ',') = 0 then array[staging.trimmed(u.org_source_ids)]
             else staging.listed(u.org_source_ids) end as listed,
        case when strpos(u.grades, ',') = 0 then u.grades else split_part(u.grades, ',', 1) end as first_grade,
        staging.trimmed(u.email) as trimmed_email,
        -- {type:id} pairs; a regular expression costs five times as much
        coalesce(nullif(strpos(u.user_ids, '{State'), 0), nullif(strpos(lower(u.user_ids), '{state'), 0)) as state_at,
        staging.trimmed(u.email) ~ '^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:].]+$' as is_address
      from staging.%2$I u left join staging.%3$I w on w.source_id = staging.trimmed(u.source_id)
    ) p left join sync.grades g on g.written = lower(staging.trimmed(p.first_grade))
    where p.words in ('{student}', '{teacher}', '{}') or not p.words <@ array['contact', 'parent', 'guardian', 'relative']
    $made$, run, 'raw_users_' || run, 'made_words_' || run, 'made_users_' || run);
  perform staging.exchange_part('users_' || run, 'rows', 'made_users_' || run, run::text);
  execute format('drop table staging.%I', 'made_words_' || run);
end
$$;
revoke all on function staging.type_users(bigint) from public;
grant execute on function staging.type_users(bigint) to roster_edit;

alter table staging.resolved alter column run_id drop not null, alter column entity drop not null, alter column source_id drop not null,
  alter column row_id drop not null, alter column how drop not null, -- what CREATE TABLE AS makes has none, and adding one reads it again
  alter column is_gone drop not null, alter column is_same drop not null, alter column is_plain drop not null;

-- Who of the feed bears the id of which portal person, and is nothing about them new: the widest join of a plan. Makes the run's part of
-- staging.resolved for people anew. Workers see no temporary table, so what they need to know of schools comes as arrays.
-- is_same: every value is what the portal has. is_plain: the same, of the portal's role, and listed in one school, a good one,
-- where the portal has them, and nowhere else.
-- listed, listed_ids: schools as people list them, and as the portal knows them. known: the district's schools in the portal.
-- good: those of them that are in the feed and selected.
create function staging.name_users(run bigint, district bigint, by_issuer text, listed text[], listed_ids bigint[], known bigint[], good bigint[])
returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  in_many constant bigint[] := array(
    select us.user_id from portal.user_schools us where us.school_id = any (known) group by us.user_id having count(*) > 1);
begin
  execute format($made$
    create unlogged table staging.%1$I with (autovacuum_enabled = false) as
    select %2$s::bigint as run_id, 'users' as entity, d.source_id, d.n, d.id as row_id, 'key' as how, false as is_gone, d.is_same,
      (d.is_same and d.is_as_it_was and us.is_active and us.origin = 'sync' and us.school_id = any ($4) and d.id <> all ($5)
        and us.is_primary = (d.first_school is not distinct from d.primary_school_source_id)) is true as is_plain,
      d.role
    from (
      select s.source_id, s.n, p.id, p.role, s.school_source_ids[1] as first_school, s.primary_school_source_id,
        s.keep = '{}' and s.given_name is not distinct from p.given_name and s.family_name is not distinct from p.family_name
          and s.email is not distinct from p.email and s.username is not distinct from p.username
          and s.grade is not distinct from p.grade and s.sis_id is not distinct from p.sis_id
          and (s.state_id is null or s.state_id is not distinct from p.state_id)
          and (s.is_enabled is null or (s.is_enabled = p.is_enabled and s.is_enabled is not distinct from p.is_enabled_at_source)) as is_same,
        p.is_shared and p.origin = 'sync' and s.status = 'active' and not s.is_rejected and p.role = any (s.roles)
          and cardinality(s.school_source_ids) = 1 as is_as_it_was
      from staging.%3$I s
      join portal.users p on p.district_id = %4$s and p.source_id = s.source_id and p.issuer = $1) d
    left join unnest($2, $3) i (source_id, id) on i.source_id = d.first_school
    left join portal.user_schools us on us.user_id = d.id and us.school_id = i.id
    $made$, 'made_resolved_' || run, run, 'users_' || run || '_rows', district)
  using by_issuer, listed, listed_ids, good, in_many;
  perform staging.exchange_part('resolved_' || run, 'users', 'made_resolved_' || run, 'users');
end
$$;
revoke all on function staging.name_users(bigint, bigint, text, text[], bigint[], bigint[], bigint[]) from public;
grant execute on function staging.name_users(bigint, bigint, text, text[], bigint[], bigint[], bigint[]) to roster_edit, roster_reset;

-- What the pages look up, as 0014 has it, where people are now.
create or replace function staging.index_run(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  feed text := 'users_' || run || '_rows'; -- where the people of the run are
  plan text := 'plan_' || run;
begin
  if to_regclass(format('staging.%I', feed)) is null then -- an undo reads nothing
    return;
  end if;
  -- Why someone is not here: by the beginning of a family name, a whole email, an id.
  execute format('create index if not exists %I on staging.%I (lower(family_name) collate "C")', feed || '_name', feed);
  execute format('create index if not exists %I on staging.%I (lower(email))', feed || '_email', feed);
  execute format('create index if not exists %I on staging.%I (source_id)', feed || '_id', feed);
  execute format('create index if not exists %I on staging.%I (lower(sis_id))', feed || '_sis', feed);
  execute format('analyze staging.%I', feed); -- else the planner takes an email for a common one, and reads all
  -- The plan is looked at only where it was not written, or not all of it.
  if exists (select from sync.runs r where r.id = run and r.status in ('previewed', 'held', 'rejected')) then
    execute format('create index if not exists %I on staging.%I (kind, action, row_id)', plan || '_users_page', plan || '_users');
    execute format('create index if not exists %I on staging.%I (kind, action, row_id)', plan || '_rest_page', plan || '_rest');
    execute format('create index if not exists %I on staging.%I (kind, action, (coalesce(class_id, school_id)), user_id)',
                   plan || '_pairs', plan || '_enrollments');
    execute format('create index if not exists %I on staging.%I (kind, action, (coalesce(class_id, school_id)), user_id)',
                   plan || '_memberships', plan || '_user_schools');
    execute format('create index if not exists %I on staging.%I (source_id)', plan || '_id', plan || '_users');
    execute format('analyze staging.%I', plan);
  end if;
end
$$;
