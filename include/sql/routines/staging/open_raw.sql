-- Makes the tables of a run into which the largest collections are copied as text: enrollments, people, people's roles,
-- and the records that could not be read. Tables, not temporary ones: a second connection fills them and parallel
-- workers read them. A run that is read again begins with empty ones.
-- A person's line gets its number when it is copied, so that it does not matter which worker types it.
create or replace function staging.open_raw(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
begin
  perform staging.close_raw(run);
  execute format($made$
    create unlogged table staging.%I (
      source_id text, status text, class_source_id text, user_source_id text, role text,
      is_primary text, begins_on text, ends_on text) with (autovacuum_enabled = false)
    $made$, 'raw_enrollments_' || run);
  execute format($made$
    create unlogged table staging.%I (
      collection text, rule text, message text, source_id text, line bigint, known jsonb)
      with (autovacuum_enabled = false)
    $made$, 'raw_rejects_' || run);
  execute format($made$
    create unlogged table staging.%I (
      n integer generated always as identity (cache 1000), source_id text, status text, is_enabled text,
      org_source_ids text, role text, username text, user_ids text, given_name text, family_name text, identifier text,
      email text, grades text, primary_org_source_id text, state_id text) with (autovacuum_enabled = false)
    $made$, 'raw_users_' || run);
  execute format($made$
    create unlogged table staging.%I (
      source_id text, status text, user_source_id text, role_type text, role text, org_source_id text)
      with (autovacuum_enabled = false)
    $made$, 'raw_roles_' || run);
  execute format('grant select, insert, delete, truncate on staging.%I, staging.%I, staging.%I, staging.%I
                  to roster_edit',
                 'raw_enrollments_' || run, 'raw_rejects_' || run, 'raw_users_' || run, 'raw_roles_' || run);
end
$$;
comment on function staging.open_raw is 'Makes the tables into which a run''s largest collections are copied as text.';
revoke all on function staging.open_raw from public;
grant execute on function staging.open_raw to roster_edit;
