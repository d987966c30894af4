-- Records that the source still has this record (or could not be asked): it counts as seen in every plan of the
-- run.
-- In: run_id, entity, source_id.
-- Out: a finding.
insert into sync.findings (run_id, entity, source_id, severity, rule, message)
values (%(run_id)s, %(entity)s, %(source_id)s, 'warning', 'still_live',
  'This record was missing from the feed, but the source did not confirm that it is gone when it was asked'
  ' for it; it was not deleted. Ask the district to check its sharing.');
