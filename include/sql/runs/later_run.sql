-- The newest later run of the district that was carried out since; none on most days. In: run_id. A quiet night counts
-- too: the portal held what its newer feed said. Events, which are no whole roster, count where they wrote; two rows
-- that a person put together are no feed at all (plan/fits.sql looks at those).
select o.id
from sync.runs r join sync.runs o on o.district_id = r.district_id and o.id > r.id
where r.id = %(run_id)s and not (o.mode = 'edit' and o.issuer is null)
  and (o.wrote_at is not null or (o.status in ('launched', 'held', 'rejected') and not o.parameters ? 'events'))
order by o.id desc limit 1;
