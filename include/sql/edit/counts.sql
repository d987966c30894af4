-- What this run did, per entity, from its plan; and what waits for an answer. Changes add up over the phases of a held run.
insert into sync.run_counts (run_id, entity, added, updated, unchanged, unshared, restored, deleted, held)
select %(run_id)s, k.entity, coalesce(c.added, 0), coalesce(c.updated, 0), coalesce((%(seen)s::jsonb ->> k.entity)::bigint, 0)
    - coalesce(c.touched, 0), coalesce(c.unshared, 0), coalesce(c.restored, 0), coalesce(c.deleted, 0), coalesce(c.held, 0)
from (values ('schools'), ('teachers'), ('students'), ('admins'), ('classes'), ('enrollments')) k (entity)
left join (
  select p.kind,
    count(*) filter (where p.action = 'add' and p.phase = any (%(phases)s)) as added,
    count(*) filter (where p.action = 'update' and p.phase = any (%(phases)s)) as updated,
    count(*) filter (where p.action in ('unshare', 'end') and p.phase = any (%(phases)s)) as unshared,
    count(*) filter (where p.action = 'restore' and p.phase = any (%(phases)s)) as restored,
    count(*) filter (where p.action = 'delete' and p.phase = any (%(phases)s)) as deleted,
    count(*) filter (where p.action in ('add', 'update', 'restore')) as touched,
    count(*) filter (where not p.phase = any (%(phases)s)) as held
  from staging.plan p where p.run_id = %(run_id)s group by p.kind) c on c.kind = k.entity
on conflict (run_id, entity) do update set
  added = sync.run_counts.added + excluded.added, updated = sync.run_counts.updated + excluded.updated,
  unchanged = greatest(excluded.unchanged, 0), unshared = sync.run_counts.unshared + excluded.unshared,
  restored = sync.run_counts.restored + excluded.restored, deleted = sync.run_counts.deleted + excluded.deleted,
  held = excluded.held;
