-- A run's counts per entity, in the order in which people read them; before and after are counted by Reset and Undo
-- only. Reads a handful of rows, locks nothing.
select entity, before, after, received, rejected, warned, added, updated, unchanged, unshared, restored, deleted, held
from sync.run_counts
where run_id = %(run_id)s
order by array_position(
  array['schools', 'teachers', 'students', 'admins', 'classes', 'enrollments', 'licenses', 'books'], entity)
