-- Before and after, and what a run did, per entity, in the order in which people read them. In: run_id.
select entity, before, after, received, rejected, warned, added, updated, unshared, restored, deleted, held
from sync.audit_counts
where run_id = %(run_id)s
  and (before is not null or received + added + updated + unshared + restored + deleted + held > 0)
order by array_position(
  array['schools', 'teachers', 'students', 'admins', 'classes', 'enrollments', 'licenses', 'books'], entity);
