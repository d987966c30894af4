-- Records that a step ends, with its counts.
update sync.runs set step = null, steps = (
  select coalesce(jsonb_agg(case when s ->> 'name' = %(step)s
    then s || jsonb_build_object('finished_at', clock_timestamp(), 'counts', %(counts)s::jsonb) else s end), '[]')
  from jsonb_array_elements(steps) s)
where id = %(run_id)s;
