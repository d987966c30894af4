-- Stages schools: the organizations of type school. In: raw_orgs, raw_rejects. A row without an id or a name is
-- rejected and counts as seen.
insert into staging.schools (run_id, source_id, status, name, sis_id, state_id, nces_id, is_rejected, keep)
select
  %(run_id)s, nullif(btrim(o.source_id), ''),
  staging.as_status(o.status),
  nullif(btrim(o.name), ''), nullif(btrim(o.identifier), ''), nullif(btrim(o.state_id), ''),
  nullif(btrim(o.nces_id), ''),
  coalesce(btrim(o.source_id), '') = '',
  case when coalesce(btrim(o.name), '') = '' then array['name'] else '{}' end
from raw_orgs o
where lower(btrim(o.type)) = 'school';

insert into staging.schools (run_id, source_id, status, is_rejected)
select %(run_id)s, btrim(r.source_id), 'active', true from raw_rejects r
where r.collection = 'orgs' and btrim(r.source_id) <> '';

-- Rows that repeat an id are folded: active beats gone; where they differ, the portal's value wins.
with repeated as (
  select source_id from staging.schools
  where run_id = %(run_id)s and not is_rejected group by source_id having count(*) > 1
), gone as (
  delete from staging.schools s using repeated r
  where s.run_id = %(run_id)s and s.source_id = r.source_id and not s.is_rejected returning s.*
), reported as (
  insert into sync.findings (run_id, entity, source_id, severity, rule, message)
  select %(run_id)s, 'schools', source_id, 'warning', 'repeated_id',
    'This school comes more than once with the same id; the rows were united. Remove the extra rows at the source.'
  from repeated
), living as (
  -- a row that is gone counts for nothing next to one that is active
  select g.*, min(g.status) over (partition by g.source_id) as best from gone g
)
insert into staging.schools (run_id, source_id, status, name, sis_id, state_id, nces_id, keep)
select %(run_id)s, g.source_id, min(g.status), min(g.name), min(g.sis_id), min(g.state_id), min(g.nces_id),
  array_remove(array[
    case when count(distinct g.name) > 1 or bool_or('name' = any (g.keep)) then 'name' end,
    case when count(distinct g.sis_id) > 1 then 'sis_id' end,
    case when count(distinct g.state_id) > 1 then 'state_id' end,
    case when count(distinct g.nces_id) > 1 then 'nces_id' end], null)
from living g where g.status = g.best group by g.source_id;
-- No index of the portal holds a text of more than 2,700 bytes: one such text costs itself, or, as an id, its row.
with cut as (
  update staging.schools set
    source_id = staging.unless_too_long(source_id),
    is_rejected = is_rejected or coalesce(staging.is_too_long(source_id), false),
    keep = keep || array_remove(array[
      case when staging.is_too_long(name) then 'name' end,
      case when staging.is_too_long(sis_id) then 'sis_id' end,
      case when staging.is_too_long(state_id) then 'state_id' end,
      case when staging.is_too_long(nces_id) then 'nces_id' end], null),
    name = staging.unless_too_long(name),
    sis_id = staging.unless_too_long(sis_id),
    state_id = staging.unless_too_long(state_id),
    nces_id = staging.unless_too_long(nces_id)
  where run_id = %(run_id)s
    and (staging.is_too_long(source_id) or staging.is_too_long(name) or staging.is_too_long(sis_id)
    or staging.is_too_long(state_id) or staging.is_too_long(nces_id))
  returning source_id, is_rejected
)
insert into sync.findings (run_id, entity, source_id, severity, rule, message)
select %(run_id)s, 'schools', source_id, 'warning', 'too_long',
  'A text of this row is longer than 1,000 bytes; the one in the portal stays. Shorten it at the source.'
from cut where not is_rejected limit 1000;
select staging.analyze_run(%(run_id)s, array['schools']);
