-- Records an expiration date that is near, for each active subscriber: 30, 7 and 1 days before, and on the day; if
-- nothing ran on a day, the next run catches up. In: district_id, run_id (null outside of a run), today (in the
-- district's time zone).
insert into sync.notices (run_id, district_id, recipient, kind, subject_key)
select %(run_id)s::bigint, s.district_id, min(btrim(s.email)), 'expiry', t.expires_on || ':' || d.days
from sync.settings t
join sync.subscriptions s on s.district_id = t.district_id and s.is_active
cross join lateral (
  select min(v.days) as days from (values (0), (1), (7), (30)) v (days)
  where t.expires_on - %(today)s::date <= v.days) d
where t.district_id = %(district_id)s and t.expires_on >= %(today)s::date and d.days is not null
  and not exists (
    select from portal.users u
    where u.district_id = s.district_id and u.is_dummy and lower(btrim(u.email)) = lower(btrim(s.email)))
group by s.district_id, lower(btrim(s.email)), t.expires_on, d.days
on conflict (district_id, recipient, kind, subject_key) do nothing;
