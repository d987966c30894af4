-- One made-up district of any size. Run by madeup.py; values only as binds.
insert into portal.schools (district_id, issuer, source_id, sis_id, name, origin, created_run_id)
select %(district)s, %(issuer)s, %(key)s || '-s' || n, 'S' || n,
  (%(school)s::text[])[1 + (n - 1) %% 12] || case when n > 12 then ' ' || (n - 1) / 12 else '' end
    || case n %% 3 when 1 then ' Elementary' when 2 then ' Middle School' else ' High School' end, 'sync', %(run)s
from generate_series(1, %(schools)s) n;

insert into portal.users (district_id, issuer, source_id, sis_id, role, email, given_name, family_name, grade, origin,
                          is_enabled_at_source, created_run_id)
select %(district)s, %(issuer)s, %(key)s || '-u' || n, 'P' || n,
  case when n <= %(teachers)s then 'teacher' else 'student' end, %(key)s || n || '@example.org',
  (%(given)s::text[])[1 + n %% 16],
  (%(family)s::text[])[1 + (n / 16) %% 18] || case when n > 288 then ' ' || chr(65 + (n / 288) %% 26) else '' end,
  case when n > %(teachers)s then (%(grades)s::text[])[1 + n %% 7] end, 'sync', true, %(run)s
from generate_series(1, %(teachers)s + %(students)s) n;

insert into portal.user_schools (user_id, school_id, is_primary, origin, created_run_id)
select u.id, s.id, true, 'sync', %(run)s
from (select id, row_number() over (order by id) n from portal.users where district_id = %(district)s) u
join (select id, row_number() over (order by id) n from portal.schools where district_id = %(district)s) s
  on s.n = 1 + u.n %% %(schools)s;

insert into portal.classes (district_id, issuer, source_id, school_id, title, subject, grade, period, term_name,
                            starts_on, ends_on, origin, created_run_id)
select %(district)s, %(issuer)s, %(key)s || '-c' || g.n, s.id,
  (%(subjects)s::text[])[1 + g.n %% 6] || ' ' || (%(grades)s::text[])[1 + g.n %% 7]
    || case when g.n > 42 then '-' || g.n / 42 else '' end,
  (%(subjects)s::text[])[1 + g.n %% 6], (%(grades)s::text[])[1 + g.n %% 7], (1 + g.n %% 7)::text, 'Full year',
  '2026-08-17', '2027-06-11',
  'sync', %(run)s
from generate_series(1, %(classes)s) g (n)
join (select id, row_number() over (order by id) n from portal.schools where district_id = %(district)s) s
  on s.n = 1 + g.n %% %(schools)s;

insert into portal.enrollments (district_id, class_id, user_id, role, is_primary, origin, created_run_id)
select %(district)s, c.id, u.id, 'teacher', true, 'sync', %(run)s
from (select id, row_number() over (order by id) n from portal.classes where district_id = %(district)s) c
join (select id, row_number() over (order by id) n from portal.users
  where district_id = %(district)s and role = 'teacher') u
  on u.n = 1 + c.n %% %(teachers)s;

insert into portal.enrollments (district_id, class_id, user_id, role, origin, created_run_id)
select %(district)s, c.id, u.id, 'student', 'sync', %(run)s
from (select id, row_number() over (order by id) n from portal.classes where district_id = %(district)s) c
cross join generate_series(1, least(%(per_class)s, %(students)s)) k
join (select id, row_number() over (order by id) n from portal.users
  where district_id = %(district)s and role = 'student') u
  on u.n = 1 + (c.n * %(per_class)s + k) %% %(students)s;

insert into sync.school_selection (district_id, source_id, name)
select %(district)s, source_id, name from portal.schools where district_id = %(district)s;
