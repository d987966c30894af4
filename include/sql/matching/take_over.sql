-- The old row speaks for both from now on: the new row's ids, attributes and whether it is shared; never its role.
-- What the new row does not know stays, and so does a hand-set is_enabled = false. All ids of the new row lead to the
-- old one.
with done as (
  update portal.users t
  set issuer = n.issuer, source_id = n.source_id, sis_id = coalesce(n.sis_id, t.sis_id),
    state_id = coalesce(n.state_id, t.state_id),
    email = coalesce(n.email, t.email), username = coalesce(n.username, t.username),
    given_name = coalesce(n.given_name, t.given_name),
    family_name = coalesce(n.family_name, t.family_name), grade = coalesce(n.grade, t.grade),
    is_enabled = case when not t.is_enabled
      and t.is_enabled_at_source is distinct from false then t.is_enabled else n.is_enabled end,
    is_enabled_at_source = case when not t.is_enabled and t.is_enabled_at_source is distinct from false
      then t.is_enabled_at_source else n.is_enabled_at_source end,
    origin = n.origin, is_shared = n.is_shared,
    last_shared_at = case when n.is_shared then t.last_shared_at else n.last_shared_at end,
    updated_at = now(), updated_run_id = %(run_id)s
  from merged_users n
  where t.id = %(old_id)s
  returning to_jsonb(old) as before, to_jsonb(new) as after
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'users', jsonb_build_object('id', before -> 'id'), 'update', d.*
from done, sync.difference(before, after) d;

with done as (
  update sync.former_ids i set row_id = %(old_id)s, last_seen_run_id = %(run_id)s
  where i.district_id = %(district_id)s and i.entity = 'users' and i.row_id = %(new_id)s
  returning i.issuer, i.source_id
)
insert into sync.changes (run_id, table_name, key, action, before, after, changed)
select %(run_id)s, 'source_ids', jsonb_build_object('entity', 'users', 'issuer', issuer, 'source_id', source_id),
  'update',
  jsonb_build_object('row_id', %(new_id)s::bigint), jsonb_build_object('row_id', %(old_id)s::bigint), array['row_id']
from done;

insert into sync.run_counts (run_id, entity, updated, deleted)
select %(run_id)s, sync.kind_of(u.role), 1, 1
from portal.users u where u.id = %(old_id)s;
