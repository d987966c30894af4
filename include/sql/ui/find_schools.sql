-- Schools whose name holds the searched text. A few thousand at most.
select s.id from portal.schools s where s.district_id = %(district)s and strpos(lower(s.name), %(exact)s) > 0
order by lower(s.name), s.id limit %(limit)s;
