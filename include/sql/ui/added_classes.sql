-- Classes that a run added, keyset by id; `ids`: only these.
select c.id, c.title as label, s.name as school, c.period, c.term_name, c.source_id, c.is_shared
from portal.classes c join portal.schools s on s.id = c.school_id
where c.district_id = %(district)s and c.created_run_id = %(run)s and c.id > %(after)s
  and (%(ids)s::bigint[] is null or c.id = any(%(ids)s))
order by c.id limit %(limit)s;
