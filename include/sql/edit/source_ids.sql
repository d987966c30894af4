-- Every id a row was ever known by: those that this run gave or changed. An id whose row was deleted may come back on a new one.
update sync.source_ids i set row_id = p.row_id, last_seen_run_id = %(run_id)s
from staging.plan p
where p.run_id = %(run_id)s and p.entity in ('schools', 'users', 'classes') and p.phase = any (%(phases)s)
  and (p.action in ('add', 'restore') or 'source_id' = any (p.changed))
  and i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = p.entity and i.source_id = p.source_id;

insert into sync.source_ids (district_id, issuer, entity, source_id, row_id, first_seen_run_id, last_seen_run_id)
select %(district_id)s, %(issuer)s, p.entity, p.source_id, p.row_id, %(run_id)s, %(run_id)s
from staging.plan p
where p.run_id = %(run_id)s and p.entity in ('schools', 'users', 'classes') and p.phase = any (%(phases)s)
  and (p.action in ('add', 'restore') or 'source_id' = any (p.changed))
  and not exists (
    select from sync.source_ids i
    where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = p.entity and i.source_id = p.source_id)
order by p.entity, p.source_id;

update sync.source_ids i set last_seen_run_id = (
  select max(r.id) from sync.runs r where r.district_id = %(district_id)s and r.id < %(run_id)s and r.wrote_at is not null)
from staging.plan p
where p.run_id = %(run_id)s and p.entity in ('schools', 'users', 'classes') and p.action = 'unshare' and p.phase = any (%(phases)s)
  and i.entity = p.entity and i.row_id = p.row_id and i.district_id = %(district_id)s
  and exists (select from sync.runs r where r.district_id = %(district_id)s and r.id < %(run_id)s and r.wrote_at is not null);
