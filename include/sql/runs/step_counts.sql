-- Records what the step at work has counted so far, for whoever watches; nothing where the run or the step has ended
-- meanwhile.
update sync.runs set steps = (
  select jsonb_agg(case when s ->> 'name' = %(step)s and not s ? 'finished_at'
    then s || jsonb_build_object('counts', %(counts)s::jsonb) else s end)
  from jsonb_array_elements(steps) s)
where id = %(run_id)s and status = 'in_progress' and step = %(step)s;
