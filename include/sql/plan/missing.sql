-- Schools and people that a Reset would delete because they are in no part of the feed: asked for one by one at the source.
select p.entity, p.row_id, t.source_id, case p.entity when 'schools' then 'orgs' else 'users' end as collection
from staging.plan p
join (
  select 'schools' as entity, id, source_id, is_shared from portal.schools where district_id = %(district_id)s and issuer = %(issuer)s
  union all
  select 'users', id, source_id, is_shared from portal.users where district_id = %(district_id)s and issuer = %(issuer)s) t
  on t.entity = p.entity and t.id = p.row_id
where p.run_id = %(run_id)s and p.action = 'delete' and p.entity in ('schools', 'users')
  and not exists (select from staging.users s where s.run_id = %(run_id)s and s.source_id = t.source_id and p.entity = 'users')
  and not exists (select from staging.schools s where s.run_id = %(run_id)s and s.source_id = t.source_id and p.entity = 'schools')
order by p.entity, t.is_shared desc, p.row_id limit %(most)s;
