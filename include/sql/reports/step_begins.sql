-- A step begins; begun again (a retry), it takes its own place.
update sync.runs set step = %(step)s, steps = (
  select coalesce(jsonb_agg(s), '[]') from jsonb_array_elements(steps) s where s ->> 'name' <> %(step)s)
  || jsonb_build_array(jsonb_build_object('name', %(step)s::text, 'started_at', clock_timestamp()))
where id = %(run_id)s;
