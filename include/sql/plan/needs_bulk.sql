-- Finds schools that people selected and that are not in the portal yet, while only a part of the roster came (a delta
-- file): its classes and people may be missing. Reported, so that somebody sends a bulk file. Size: schools.
-- In: staging.resolved. Also sync.school_selection.
-- Out: findings.
delete from sync.findings where run_id = %(run_id)s and rule = 'needs_bulk_file';
insert into sync.findings (run_id, entity, source_id, severity, rule, message)
select %(run_id)s, 'schools', c.source_id, 'warning', 'needs_bulk_file',
  'This school is selected now, but the roster did not come whole, so its classes and people may be missing.'
  ' Send a bulk file.'
from sync.school_selection c
where c.district_id = %(district_id)s and c.is_selected and %(school_mode)s = 'listed'
  and not %(events)s and not (%(users_proved)s and %(classes_proved)s and %(enrollments_proved)s)
  and not exists (
    select from portal.schools p
    where p.district_id = c.district_id and p.origin = 'sync' and (p.source_id = c.source_id or p.id in (
      select r.row_id from staging.resolved r
      where r.run_id = %(run_id)s and r.entity = 'schools' and r.source_id = c.source_id)));
