-- Schools and people that a Reset would delete because they are in no part of the feed: each is asked for at the
-- source, once. A deselected school is deleted for another reason, so nobody is asked for it.
-- In: school_view, staging.plan, staging.users, staging.schools. Also asked_schools, asked_users (source ids that
-- were asked for), most.
-- Out: at most `most` rows.
select p.entity, p.row_id, t.source_id
from staging.plan p
join (
  select 'schools' as entity, s.id, s.source_id, s.is_shared from portal.schools s
  join school_view v on v.id = s.id and v.is_selected
  where s.district_id = %(district_id)s and s.issuer = %(issuer)s and s.source_id <> all (%(asked_schools)s::text[])
  union all
  select 'users', id, source_id, is_shared from portal.users
  where district_id = %(district_id)s and issuer = %(issuer)s and source_id <> all (%(asked_users)s::text[])) t
  on t.entity = p.entity and t.id = p.row_id
where p.run_id = %(run_id)s and p.action = 'delete' and p.entity in ('schools', 'users')
  and not exists (select from staging.users s
    where s.run_id = %(run_id)s and s.source_id = t.source_id and p.entity = 'users')
  and not exists (select from staging.schools s
    where s.run_id = %(run_id)s and s.source_id = t.source_id and p.entity = 'schools')
order by p.entity, t.is_shared desc, p.row_id limit %(most)s;
