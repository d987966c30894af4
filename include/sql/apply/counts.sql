-- Counts what this run did, per entity, from its plan, and what waits for an answer. Changes add up over the phases of
-- a held run.
-- The plan was counted when it was made, and its action says the phase; only an approval takes rows out of it
-- afterwards.
-- In: sync.runs.plan, staging.plan; phases, seen.
-- Out: sync.run_counts.
with approved as (
  select from sync.holds h where h.run_id = %(run_id)s and h.answer = 'approved'
), planned as (
  select k.kind, a.action, a.n::bigint as n
  from sync.runs r cross join jsonb_each(r.plan -> 'counts') k (kind, actions) cross
  join jsonb_each_text(k.actions) a (action, n)
  where r.id = %(run_id)s and not exists (select from approved)
  union all
  select p.kind, p.action, count(*) from staging.plan p
  where p.run_id = %(run_id)s and exists (select from approved) group by p.kind, p.action
), done as (
  select p.kind, p.action, p.n,
    case when p.action in ('add', 'restore') then 'adds' when p.action = 'update' then 'updates'
      else 'removals' end = any (%(phases)s) as is_done
  from planned p
)
insert into sync.run_counts (run_id, entity, added, updated, unchanged, unshared, restored, deleted, held)
select %(run_id)s, k.entity, coalesce(c.added, 0), coalesce(c.updated, 0),
  coalesce((%(seen)s::jsonb ->> k.entity)::bigint, 0)
    - coalesce(c.touched, 0), coalesce(c.unshared, 0), coalesce(c.restored, 0), coalesce(c.deleted, 0),
    coalesce(c.held, 0)
from (values ('schools'), ('teachers'), ('students'), ('admins'), ('classes'), ('enrollments')) k (entity)
left join (
  select d.kind,
    sum(d.n) filter (where d.action = 'add' and d.is_done) as added,
    sum(d.n) filter (where d.action = 'update' and d.is_done) as updated,
    sum(d.n) filter (where d.action in ('unshare', 'end') and d.is_done) as unshared,
    sum(d.n) filter (where d.action = 'restore' and d.is_done) as restored,
    sum(d.n) filter (where d.action = 'delete' and d.is_done) as deleted,
    sum(d.n) filter (where d.action in ('add', 'update', 'restore')) as touched,
    sum(d.n) filter (where not d.is_done) as held
  from done d group by d.kind) c on c.kind = k.entity
on conflict (run_id, entity) do update set
  added = sync.run_counts.added + excluded.added, updated = sync.run_counts.updated + excluded.updated,
  unchanged = greatest(excluded.unchanged, 0), unshared = sync.run_counts.unshared + excluded.unshared,
  restored = sync.run_counts.restored + excluded.restored, deleted = sync.run_counts.deleted + excluded.deleted,
  held = excluded.held;
