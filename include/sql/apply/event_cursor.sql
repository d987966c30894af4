-- A run that has written all adds and updates of its feed moves the district's position in the events: a full read that
-- came whole to the newest event before it, a reading of events to its last one. Never backwards: a late approval
-- brings an old feed.
-- In: sync.runs.feed; phases.
-- Out: sync.event_cursors.
insert into sync.event_cursors (district_id, issuer, event_id, taken_at, run_id)
select r.district_id, r.issuer, r.feed ->> 'event_id', r.started_at, r.id
from sync.runs r
where r.id = %(run_id)s and r.feed ->> 'event_id' <> '' and %(phases)s::text[] @> array['adds', 'updates']
  and (r.is_complete_feed or coalesce((r.feed ->> 'is_partial')::boolean, false))
on conflict (district_id) do update
set issuer = excluded.issuer, event_id = excluded.event_id, taken_at = excluded.taken_at, run_id = excluded.run_id
where sync.event_cursors.issuer <> excluded.issuer or sync.event_cursors.taken_at <= excluded.taken_at;
