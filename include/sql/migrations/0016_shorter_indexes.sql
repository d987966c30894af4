-- Indexes that cost a first load less. See docs/adr/0013-ids-are-read-from-the-rows.md.

-- The id first: it tells rows apart at the first comparison, where district and issuer are the same for a whole load.
alter table portal.users drop constraint users_district_id_issuer_source_id_key,
  add constraint users_source_id_key unique (source_id, issuer, district_id);
alter table portal.classes drop constraint classes_district_id_issuer_source_id_key,
  add constraint classes_source_id_key unique (source_id, issuer, district_id);

-- What a run added lies together, people and classes as well as enrolments: ranges of pages find it.
drop index portal.users_made_idx;
create index users_made_idx on portal.users using brin (created_run_id) with (pages_per_range = 16, autosummarize = on);
drop index portal.classes_made_idx;
create index classes_made_idx on portal.classes using brin (created_run_id) with (pages_per_range = 16, autosummarize = on);
