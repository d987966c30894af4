-- Who has this email in the district. Index: users_email_idx.
select u.id, u.role, u.is_enabled from portal.users u
where u.district_id = %(district)s and u.email is not null and lower(btrim(u.email)) = lower(btrim(%(email)s))
order by u.id limit 2;
