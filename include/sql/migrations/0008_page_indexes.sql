-- What the pages look up: people and classes in the order of their names, and what a run added or changed. Names are
-- ordered by their bytes (collate "C"), so that one index serves the order, the beginning of a name and the next page.
create index users_page_idx on portal.users (district_id, role, (coalesce(lower(family_name), '') collate "C"),
  (coalesce(lower(given_name), '') collate "C"), id);
create index users_given_idx on portal.users (district_id, role, (coalesce(lower(given_name), '') collate "C"));
create index users_sis_idx on portal.users (district_id, lower(sis_id)) where sis_id is not null;
create index users_made_idx on portal.users (created_run_id, id) where created_run_id is not null;
create index classes_page_idx on portal.classes (district_id, (coalesce(lower(title), '') collate "C"), id);
create index classes_made_idx on portal.classes (created_run_id, id) where created_run_id is not null;
-- A run's enrolments lie together: a few kilobytes find them, and loading five million costs nothing.
create index enrollments_made_idx on portal.enrollments using brin (created_run_id) with (pages_per_range = 16, autosummarize = on);
create index changes_page on sync.changes (run_id, table_name, action, id);
drop index sync.changes_run;
create index runs_undoes on sync.runs (undoes_run_id) where undoes_run_id is not null;
