-- The run since which a row has its present source id: the run that first saw the row under this id, if the row had it
-- before; else the last run by which the row left another id; else the run that made the row.
-- wanted_entity: schools, users or classes. district, wanted_issuer, wanted_id: the id. row_id: the row.
-- made: the run that made the row.
create or replace function sync.id_since(
  wanted_entity text, district bigint, wanted_issuer text, wanted_id text, row_id bigint, made bigint)
returns bigint language sql stable as $$
  select coalesce(
    (select f.first_seen_run_id from sync.former_ids f
     where f.district_id = district and f.issuer = wanted_issuer and f.entity = wanted_entity
       and f.source_id = wanted_id and f.row_id = id_since.row_id),
    (select max(f.left_run_id) from sync.former_ids f where f.entity = wanted_entity and f.row_id = id_since.row_id),
    made)
$$;
comment on function sync.id_since is 'The run since which a portal row has the source id that it has now.';
