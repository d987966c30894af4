-- Records the decision as a run of its own, so that it is in the history and can be undone. Never 'in_progress': it is
-- over when its transaction is.
insert into sync.runs (district_id, mode, trigger, status, started_by, reason, started_at, finished_at, wrote_at,
  message)
values (%(district_id)s, 'edit', 'manual', 'launched', %(who)s, 'same person', now(), clock_timestamp(),
  clock_timestamp(),
  'Two rows were put together, because a person said that they are the same person.')
returning id;
