-- People whom the source named in a run but whom the portal may not hold, and why. Each condition finds its way by an
-- index of the run's partition (staging.index_run).
select f.source_id, concat_ws(', ', f.family_name, f.given_name) as label, f.email, f.status, f.source_roles, f.roles,
  f.is_rejected, u.id as user_id, u.is_shared,
  (select json_agg(json_build_object('rule', g.rule, 'field', g.field, 'message', g.message))
     from sync.findings g where g.run_id = %(run)s and g.source_id = f.source_id and g.severity = 'error') as errors,
  (select min(g.message) from sync.findings g
   where g.run_id = %(run)s and g.source_id = f.source_id and g.rule = 'role_not_created') as role_refused,
  (select json_agg(json_build_object('name', coalesce(c.name, o.id),
       'is_selected', coalesce(t.school_mode, 'all') = 'all' or coalesce(c.is_selected, false)) order by c.name)
     from unnest(f.school_source_ids) o (id)
     left join sync.school_selection c on c.district_id = %(district)s and c.source_id = o.id) as schools
from (
  select s.* from staging.users s
  where s.run_id = %(run)s and s.source_id in (
    select n.source_id from unnest(%(families)s::text[], %(givens)s::text[]) as name (family, given)
    cross join lateral (
      select a.source_id from staging.users a
      where a.run_id = %(run)s and lower(a.family_name) collate "C" >= name.family
        and lower(a.family_name) collate "C" < name.family || %(last)s
        and (name.given = '' or starts_with(lower(a.given_name), name.given)) limit 20) n
    union
    (select a.source_id from staging.users a
     where a.run_id = %(run)s
       and (lower(a.email) = %(exact)s or a.source_id = %(as_typed)s or lower(a.sis_id) = %(exact)s) limit 20))
  limit 20) f
left join lateral ( -- each look-up by itself: joined, the view would be read whole
  select i.row_id from sync.source_ids i
  where i.district_id = %(district)s and i.issuer = %(issuer)s and i.entity = 'users'
    and i.source_id = f.source_id) i on true
left join portal.users u on u.id = i.row_id
left join sync.settings t on t.district_id = %(district)s
order by 2, 1;
