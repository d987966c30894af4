-- Adds a person to a school as a manual row, or makes an ended row manual, which no Edit ends. Runs as roster_desk.
insert into portal.user_schools (user_id, school_id, origin)
select %(user)s, s.id, 'manual' from portal.schools s where s.id = %(school)s and s.district_id = %(district)s
on conflict (user_id, school_id) do update set is_active = true, ended_at = null,
  origin = case when user_schools.is_active then user_schools.origin else 'manual' end;
