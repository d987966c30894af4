-- One person of a district, with the runs that created and last changed the row. Indexes: primary keys, former_ids_row.
select u.*, made.started_at as made_at, made.mode as made_mode, latest.started_at as changed_at,
  latest.mode as changed_mode,
  (select json_agg(json_build_object('issuer', i.issuer, 'source_id', i.source_id, 'first', i.first_seen_run_id)
                   order by i.first_seen_run_id nulls first)
     from sync.source_ids i where i.entity = 'users' and i.row_id = u.id) as ids
from portal.users u
left join sync.runs made on made.id = u.created_run_id
left join sync.runs latest on latest.id = u.updated_run_id
where u.id = %(id)s and u.district_id = %(district)s;
