-- What came this time, by kind of row, compared with the last good run of the district. In: run_id, floor. Reads only.
-- Good is a launched Edit or Reset that read its feed as a whole. A fall smaller than the floor counts as none; so does
-- a collection that came empty (the plan has rules of its own for that) or that is known not to be complete.
with this_run as (
  select id, district_id, issuer, feed from sync.runs where id = %(run_id)s
),
last_good as (
  select r.id from sync.runs r
  join this_run t on t.district_id = r.district_id and r.id < t.id and r.issuer is not distinct from t.issuer
  where r.mode in ('edit', 'reset') and r.status = 'launched' and r.is_complete_feed is distinct from false
    and exists (select from sync.run_counts c where c.run_id = r.id and c.received > 0)
  order by r.id desc limit 1
),
kinds (kind, entity, collection) as (
  values ('schools', 'schools', 'orgs'), ('teachers', 'users', 'users'), ('students', 'users', 'users'),
    ('classes', 'classes', 'classes'), ('enrollments', 'enrollments', 'enrollments')
),
compared as (
  select k.*, (select id from last_good) as before_run_id,
    coalesce(n.received - n.rejected, 0) as now_came, coalesce(b.received - b.rejected, 0) as before_came,
    coalesce((t.feed -> 'collections' -> k.collection ->> 'is_complete')::boolean, false) as is_complete
  from kinds k
  cross join this_run t
  left join sync.run_counts n on n.run_id = t.id and n.entity = k.kind
  left join sync.run_counts b on b.run_id = (select id from last_good) and b.entity = k.kind
)
select kind, entity, before_run_id, now_came, before_came,
  case when is_complete and now_came > 0 and before_came > 0 then
    case when before_came - now_came >= %(floor)s then 100.0 * (before_came - now_came) / before_came else 0 end
  end as percent_fewer
from compared;
