-- Counts the enrollments that the portal holds: of all, of classes in the feed, and of those that a removal is measured
-- against.
-- In: class_view.
-- Out: portal_enrollment_counts.
-- speed: needs nothing of the join, so it is counted in parallel with it; by class first, by parallel workers
create temporary table portal_enrollment_counts on commit drop as
with of_class as (
  select e.class_id, count(*) filter (where e.is_active) as active, count(*) filter (where e.origin = 'sync') as synced,
    count(*) filter (where e.origin = 'sync' and e.is_active) as synced_active
  from portal.enrollments e join portal.classes c on c.id = e.class_id
  where c.district_id = %(district_id)s group by e.class_id
)
select coalesce(sum(h.active), 0)::bigint as active,
  coalesce(sum(h.active) filter (where c.is_in_feed and c.is_selected), 0)::bigint as in_feed_classes,
  coalesce(sum(case when %(mode)s = 'reset' then h.synced when c.old_selected and c.is_shared then h.synced_active end),
    0)::bigint as base
from of_class h join class_view c on c.id = h.class_id and c.is_known;
