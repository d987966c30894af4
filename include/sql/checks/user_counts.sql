-- How many people of each kind came, were rejected, lost a value. Out: temporary user_counts.
-- Someone known counts as what the portal has them for, whatever the source says now: as the changes to them are
-- counted.
create temporary table user_counts on commit drop as -- not INSERT, which has no parallel workers (PostgreSQL 18.4)
select sync.kind_of(coalesce(p.role, s.roles[1])) as entity,
  count(*) as received, count(*) filter (where s.is_rejected) as rejected,
  count(*) filter (where s.keep <> '{}') as warned
from staging.users s
left join portal.users p on p.district_id = %(district_id)s and p.issuer = %(issuer)s and p.source_id = s.source_id
where s.run_id = %(run_id)s group by 1;
