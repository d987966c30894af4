-- Schools that a run added, keyset by id.
select s.id, s.name as label, s.source_id, s.is_shared from portal.schools s
where s.district_id = %(district)s and s.created_run_id = %(run)s and s.id > %(after)s
  and (%(pattern)s = '' or lower(s.name) like %(pattern)s)
order by s.id limit %(limit)s;
