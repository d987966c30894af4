-- For an undo and a merge: checks that the people, classes and schools that the run's inserted classes, enrollments and
-- school memberships name exist, and stay until the transaction ends. See docs/adr/0004-set-based-references.md.
-- run: sync.changes names the rows that it inserted.
create or replace function portal.check_references_of_run(run bigint) returns void
language plpgsql security definer set search_path = portal, pg_temp as $$
declare
  -- rows of this transaction need no lock: nobody else can delete them before the commit
  mine constant xid := pg_current_xact_id()::xid;
  is_dangling boolean;
begin
  create temporary table named_by_run on commit drop as
  select distinct k.what, (c.key ->> (k.what || '_id'))::bigint as id
  from sync.changes c cross join (values ('user'), ('class'), ('school')) k (what)
  where c.run_id = run and c.action = 'insert' and c.table_name in ('enrollments', 'user_schools')
    and c.key ? (k.what || '_id')
  union
  select 'school', (c.after ->> 'school_id')::bigint
  from sync.changes c where c.run_id = run and c.action = 'insert' and c.table_name = 'classes';
  analyze named_by_run;
  perform 1 from portal.users u
    where u.xmin <> mine and u.id in (select n.id from named_by_run n where n.what = 'user') for key share of u;
  perform 1 from portal.classes c
    where c.xmin <> mine and c.id in (select n.id from named_by_run n where n.what = 'class') for key share of c;
  perform 1 from portal.schools s
    where s.xmin <> mine and s.id in (select n.id from named_by_run n where n.what = 'school') for key share of s;
  select exists (
    select from named_by_run n
    left join portal.users u on n.what = 'user' and u.id = n.id
    left join portal.classes c on n.what = 'class' and c.id = n.id
    left join portal.schools s on n.what = 'school' and s.id = n.id
    where coalesce(u.id, c.id, s.id) is null)
  into is_dangling;
  drop table named_by_run;
  if is_dangling then
    raise foreign_key_violation using
      message = 'a class, an enrollment or a school membership names what is no longer there';
  end if;
end
$$;
comment on function portal.check_references_of_run is
  'Refuses a run whose inserted rows name a person, class or school that does not exist, and locks those that do.';
revoke all on function portal.check_references_of_run from public;
grant execute on function portal.check_references_of_run to roster_edit, roster_reset, roster_undo;
