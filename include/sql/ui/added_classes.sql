-- Classes that a run added, keyset by id.
select c.id, c.title as label, s.name as school, c.period, c.term_name, c.source_id, c.is_shared
from portal.classes c join portal.schools s on s.id = c.school_id
where c.district_id = %(district)s and c.created_run_id = %(run)s and c.id > %(after)s
  and (%(pattern)s = '' or lower(c.title) like %(pattern)s)
order by c.id limit %(limit)s;
