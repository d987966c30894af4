-- What bin/bench ui adds to one large made-up district: a rollover night, findings, a worklist, and the other districts.
-- In: harbor (district id), run (its last run), districts (how many in all).
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run)s, 'users', jsonb_build_object('id', u.id), 'update', '{"grade": "05"}', jsonb_build_object('grade', u.grade), '{grade}'
from portal.users u where u.district_id = %(harbor)s and u.role = 'student';
update sync.run_counts set updated = received where run_id = %(run)s and entity = 'students';
insert into sync.findings (run_id, entity, source_id, severity, rule, field, message)
select %(run)s, 'users', 'x' || n, case n %% 3 when 0 then 'error' else 'warning' end, 'bad_email', 'email', 'Mend the email at the source.'
from generate_series(1, 50000) n;
insert into sync.worklist (district_id, kind, subject_type, subject_id, opened_run_id)
select %(harbor)s, 'teacher_needs_license', 'user', u.id, %(run)s
from portal.users u where u.district_id = %(harbor)s and u.role = 'teacher' limit 20000;

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
from sync.runs r cross join unnest(array['schools', 'teachers', 'students', 'admins', 'classes', 'enrollments', 'licenses', 'books']) e
where r.district_id <> %(harbor)s;
insert into sync.worklist (district_id, kind, subject_type, subject_id)
select d.id, 'teacher_needs_license', 'user', n from portal.districts d cross join generate_series(1, 60) n where d.id <> %(harbor)s;
