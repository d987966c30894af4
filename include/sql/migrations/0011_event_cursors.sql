-- Where the reading of a Clever district's events goes on: the newest event before its last full read, or the last one that
-- was applied. Moved in the transaction that writes the portal, so that an event is neither lost nor done twice.
create table sync.event_cursors (
  district_id bigint primary key references portal.districts (id),
  issuer text not null,
  event_id text not null,
  taken_at timestamptz not null, -- Clever keeps events for 30 days: an older one says nothing of what came since
  run_id bigint not null -- the run that moved it
);
grant select on sync.event_cursors to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
grant insert, update on sync.event_cursors to roster_edit, roster_reset;
