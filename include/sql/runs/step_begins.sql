-- Records that a step begins; begun again (a retry), it takes its own place. Where only the emails are sent once more,
-- the run ended before.
update sync.runs set
  status = case when %(step)s = 'notify' and status = 'in_progress' then coalesce(ended_as, status) else status end,
  finished_at = case when %(step)s = 'notify' and status = 'in_progress'
    and ended_as is not null then clock_timestamp() else finished_at end,
  ended_as = case when %(step)s = 'notify' then ended_as end,
  step = %(step)s, steps = (
  select coalesce(jsonb_agg(s), '[]') from jsonb_array_elements(steps) s where s ->> 'name' <> %(step)s)
  || jsonb_build_array(jsonb_build_object('name', %(step)s::text, 'started_at', clock_timestamp()))
where id = %(run_id)s;
