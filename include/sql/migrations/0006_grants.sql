-- Who may do what. Licences and books fall only by their foreign keys, which run as the table's owner.

grant select on all tables in schema portal, staging, sync to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
alter default privileges in schema staging grant select on tables to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;
alter default privileges in schema sync grant select on tables to roster_read, roster_edit, roster_reset, roster_undo, roster_desk;

-- The feed, the plan and the record of a run: every writing path keeps them.
grant insert, update, delete on all tables in schema staging to roster_edit, roster_reset, roster_undo;
grant execute on function staging.open_run(bigint), staging.drop_run(bigint), staging.analyze_run(bigint, text[])
  to roster_edit, roster_reset, roster_undo;
grant insert, update on all tables in schema sync to roster_edit, roster_reset, roster_undo;
grant delete on sync.findings, sync.changes, sync.notices, sync.source_ids, sync.run_counts, sync.school_selection,
  sync.held_rows, sync.holds
  to roster_edit, roster_reset, roster_undo;
revoke insert, update, delete on sync.grades from roster_edit, roster_reset, roster_undo;

-- Edit: adds and changes, never deletes, never touches an existing person's role.
grant insert on portal.districts, portal.schools, portal.users, portal.user_schools, portal.classes, portal.enrollments
  to roster_edit, roster_reset, roster_undo;
-- a plan gives new rows their ids before they exist
grant usage on sequence portal.schools_id_seq, portal.users_id_seq, portal.classes_id_seq to roster_edit, roster_reset, roster_undo;
grant update (name) on portal.districts to roster_edit, roster_reset, roster_undo;
grant update on portal.schools, portal.user_schools, portal.classes, portal.enrollments
  to roster_edit, roster_reset, roster_undo;
grant update (issuer, source_id, sis_id, state_id, email, username, given_name, family_name, grade, is_enabled,
              is_enabled_at_source, origin, is_shared, last_shared_at, updated_at, updated_run_id) on portal.users
  to roster_edit, roster_reset, roster_undo;

-- Reset: deletes what is not shared.
grant delete on portal.schools, portal.users, portal.user_schools, portal.classes, portal.enrollments
  to roster_reset, roster_undo;

-- Undo: puts licences and books back, id included, and moves them between rows of one person, school or class.
grant insert on portal.license_assignments, portal.class_books, portal.student_books to roster_undo;
grant update (school_id, user_id) on portal.license_assignments to roster_undo;
grant update (class_id) on portal.class_books to roster_undo;
grant update (user_id, class_id) on portal.student_books to roster_undo;
grant delete on portal.class_books, portal.student_books to roster_undo;

-- The desk: what people do on the worklist page. The only role that may change a person's role.
grant insert, update on portal.users, portal.user_schools, portal.enrollments to roster_desk;
grant insert, update, delete on portal.license_assignments, portal.student_books, portal.class_books to roster_desk;
grant insert, update on sync.settings, sync.settings_history, sync.school_selection, sync.subscriptions, sync.worklist,
  sync.changes, sync.source_ids to roster_desk;
grant delete on sync.subscriptions to roster_desk;
