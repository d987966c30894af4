-- Who gets the district's sync emails.
select s.id, s.email, s.created_at from sync.subscriptions s
where s.district_id = %(district)s and s.is_active order by lower(s.email);
