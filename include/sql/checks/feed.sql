-- What the fetch said of itself, and how much points nowhere, kept with the run.
update sync.runs r set
  issuer = %(issuer)s, source_revision = %(revision)s,
  feed = %(feed)s::jsonb || jsonb_build_object('dangling', (
    select jsonb_build_object(
      'classes', count(*) filter (where e.class_n is null), 'users', count(*) filter (where e.user_n is null),
      'active', count(*) filter (where e.is_active), 'total', count(*))
    from staging.enrollments e where e.run_id = %(run_id)s and not e.is_rejected)),
  proof = %(proof)s::jsonb
where r.id = %(run_id)s;
