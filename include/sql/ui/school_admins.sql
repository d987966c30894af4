-- The admins of one school. Index: users_page_idx (few people have this role).
select u.id, u.family_name, u.given_name, u.email, u.is_enabled, u.is_dummy, u.origin
from portal.users u join portal.user_schools us on us.user_id = u.id and us.school_id = %(id)s and us.is_active
where u.district_id = %(district)s and portal.role_order(u.role) = portal.role_order('school_admin')
order by lower(u.family_name), u.id;
