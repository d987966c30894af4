-- Makes the indexes by which pages look into a run's feed and plan, in the run's last task, when nobody waits for it
-- any more: a few seconds for a district of 900,000 students, where each such page would otherwise read a million rows.
-- Trees, not hashes: on a million rows those took three times as long (PostgreSQL 18.4).
create or replace function staging.index_run(run bigint) returns void
language plpgsql security definer set search_path = staging, pg_temp as $$
declare
  feed text := 'users_' || run || '_rows'; -- where the people of the run are
  plan text := 'plan_' || run;
begin
  if to_regclass(format('staging.%I', feed)) is null then -- an undo reads no feed
    return;
  end if;
  -- The page 'why is this person not here?': by the beginning of a family name, a whole email, an id.
  execute format('create index if not exists %I on staging.%I (lower(family_name) collate "C")', feed || '_name', feed);
  execute format('create index if not exists %I on staging.%I (lower(email))', feed || '_email', feed);
  execute format('create index if not exists %I on staging.%I (source_id)', feed || '_id', feed);
  execute format('create index if not exists %I on staging.%I (lower(sis_id))', feed || '_sis', feed);
  execute format('analyze staging.%I', feed); -- else the planner takes an email for a common one, and reads all
  -- The pages read a plan only where it was not written, or not all of it.
  if exists (select from sync.runs r where r.id = run and r.status in ('previewed', 'held', 'rejected')) then
    execute format('create index if not exists %I on staging.%I (kind, action, row_id)',
                   plan || '_users_page', plan || '_users');
    execute format('create index if not exists %I on staging.%I (kind, action, row_id)',
                   plan || '_rest_page', plan || '_rest');
    execute format('create index if not exists %I on staging.%I
                    (kind, action, (coalesce(class_id, school_id)), user_id)',
                   plan || '_pairs', plan || '_enrollments');
    execute format('create index if not exists %I on staging.%I
                    (kind, action, (coalesce(class_id, school_id)), user_id)',
                   plan || '_memberships', plan || '_user_schools');
    execute format('create index if not exists %I on staging.%I (source_id)', plan || '_id', plan || '_users');
    execute format('analyze staging.%I', plan);
  end if;
end
$$;
comment on function staging.index_run is 'Makes the indexes that the pages need on a run''s feed and plan.';
revoke all on function staging.index_run from public;
grant execute on function staging.index_run to roster_edit;
