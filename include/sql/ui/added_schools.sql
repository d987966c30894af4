-- Schools that a run added, keyset by id; `ids`: only these.
select s.id, s.name as label, s.source_id, s.is_shared from portal.schools s
where s.district_id = %(district)s and s.created_run_id = %(run)s and s.id > %(after)s
  and (%(ids)s::bigint[] is null or s.id = any(%(ids)s))
order by s.id limit %(limit)s;
