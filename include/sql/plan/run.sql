-- What a plan needs to know of its run and district. A run that was undone has brought nothing: what it asked is asked again.
select to_regclass('staging.users_' || r.id) is not null as is_staged, r.district_id, r.mode, r.trigger, r.issuer, r.parameters, r.proof, s.school_mode, s.expires_on,
  exists (select from sync.runs o where o.district_id = r.district_id and o.id <> r.id and o.wrote_at is not null) as has_written_before,
  exists (select from sync.runs o where o.district_id = r.district_id and o.id <> r.id and o.wrote_at is not null and o.mode <> 'undo' and o.status <> 'undone' and o.issuer <> r.issuer)
    and not exists (select from sync.runs o where o.district_id = r.district_id and o.id <> r.id and o.wrote_at is not null and o.mode <> 'undo' and o.status <> 'undone' and o.issuer = r.issuer)
    as is_first_of_issuer
from sync.runs r join sync.settings s on s.district_id = r.district_id
where r.id = %(run_id)s;
