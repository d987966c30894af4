-- Adds a school admin as a manual row. Runs as roster_desk.
insert into portal.users (district_id, role, email, username, given_name, family_name, is_dummy, origin)
values (%(district)s, 'school_admin', %(email)s, %(email)s, %(given)s, %(family)s, %(dummy)s, 'manual')
returning id;
