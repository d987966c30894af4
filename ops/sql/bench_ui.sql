-- What bin/bench ui adds to one large made-up district: a rollover night, findings, a worklist,
-- and the other districts.
-- In: harbor (district id), run (its last run), preview (a run that only showed what it would do),
-- districts (how many).
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run)s, 'users', jsonb_build_object('id', u.id), 'update', '{"grade": "05"}',
  jsonb_build_object('grade', u.grade), '{grade}'
from portal.users u where u.district_id = %(harbor)s and u.role = 'student';
update sync.run_counts set updated = received where run_id = %(run)s and entity = 'students';
insert into sync.findings (run_id, entity, source_id, severity, rule, field, message)
select r.id, 'users', 'x' || n, case n %% 3 when 0 then 'error' else 'warning' end, 'bad_email', 'email',
  'Fix the email at the source.'
from (select id from sync.runs where district_id = %(harbor)s and status = 'launched' order by id desc limit 10) r
cross join generate_series(1, case when r.id = %(run)s then 50000 else 20000 end) n;
insert into sync.worklist (district_id, kind, subject_type, subject_id, opened_run_id)
select %(harbor)s, 'teacher_needs_license', 'user', u.id, %(run)s
from portal.users u where u.district_id = %(harbor)s and u.role = 'teacher' limit 20000;
insert into sync.worklist (district_id, kind, subject_type, subject_id, second_subject_id, opened_run_id)
select %(harbor)s, 'student_needs_books', 'user', e.user_id, e.class_id, %(run)s
from portal.enrollments e where e.district_id = %(harbor)s and e.role = 'student' limit 200000;

-- A preview with everything that it read and would do: every student changes, a ninth is new,
-- and a million enrollments end.
select staging.open_run(%(preview)s);
insert into staging.users (run_id, n, source_id, status, source_roles, roles, school_source_ids, email, given_name,
  family_name, grade, sis_id)
select %(preview)s, u.id, u.source_id, 'active', array[u.role], array[u.role], array['harbor-s1'], u.email,
  u.given_name, u.family_name, u.grade, u.sis_id
from portal.users u where u.district_id = %(harbor)s
union all
select %(preview)s, 10000000 + n, 'new' || n, 'active', '{student}', '{student}', '{harbor-s1}',
  'new' || n || '@example.org', 'Nova', 'Newly ' || n, '07', 'N' || n
from generate_series(1, 100000) n;
insert into staging.plan (run_id, entity, kind, action, phase, row_id, n, source_id, role, changed)
select %(preview)s, 'users', 'students', 'update', 'updates', u.id, u.id, u.source_id, 'student', '{grade}'::text[]
from portal.users u where u.district_id = %(harbor)s and u.role = 'student'
union all
select %(preview)s, 'users', 'students', 'add', 'adds', 10000000 + n, 10000000 + n, 'new' || n, 'student', null
from generate_series(1, 100000) n;
insert into staging.plan (run_id, entity, kind, action, phase, class_id, user_id, role)
select %(preview)s, 'enrollments', 'enrollments', 'end', 'removals', e.class_id, e.user_id, e.role
from portal.enrollments e where e.district_id = %(harbor)s limit 1000000;
select staging.index_run(%(preview)s);

insert into portal.districts (key, name)
select 'd' || lpad(n::text, 4, '0'), 'District ' || n from generate_series(1, %(districts)s - 1) n;
insert into sync.settings (district_id) select id from portal.districts where id <> %(harbor)s;
insert into sync.runs (district_id, mode, trigger, status, started_at, finished_at, wrote_at, issuer, steps)
select d.id, 'edit', 'nightly', case when (d.id + n) %% 41 = 0 then 'failed' else 'launched' end,
  now() - make_interval(days => 60 - n), now() - make_interval(days => 60 - n) + interval '1 minute', now(), 'clever:x',
  '[{"name": "start"}]'
from portal.districts d cross join generate_series(1, 60) n where d.id <> %(harbor)s order by n, d.id;
insert into sync.run_counts (run_id, entity, received, unchanged, added)
select r.id, e, 5000, 5000, r.id %% 20
from sync.runs r cross join unnest(
  array['schools', 'teachers', 'students', 'admins', 'classes', 'enrollments', 'licenses', 'books']) e
where r.district_id <> %(harbor)s;
insert into sync.worklist (district_id, kind, subject_type, subject_id)
select d.id, 'teacher_needs_license', 'user', n from portal.districts d cross join generate_series(1, 60) n
where d.id <> %(harbor)s;
