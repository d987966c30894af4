-- People that a run added, keyset by id; `ids`: only these.
select u.id, concat_ws(', ', u.family_name, u.given_name) as label, u.email, u.role, u.grade, u.source_id, u.is_shared
from portal.users u
where u.district_id = %(district)s and u.created_run_id = %(run)s and u.role = any(%(roles)s) and u.id > %(after)s
  and (%(ids)s::bigint[] is null or u.id = any(%(ids)s))
order by u.id limit %(limit)s;
