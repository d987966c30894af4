-- Keeps with the run what the source reported of its fetch, and how many references point nowhere.
update sync.runs r set
  issuer = %(issuer)s, source_revision = %(revision)s,
  feed = %(feed)s::jsonb || jsonb_build_object('dangling', (
    select jsonb_build_object('classes', dangling_classes, 'users', dangling_users, 'active', active, 'total', total)
    from enrollment_counts),
    'repeated', jsonb_build_object(
      'users', (select coalesce(sum(times - 1), 0) from repeated_users),
      'classes', (select coalesce(sum(times - 1), 0) from repeated_classes))),
  proof = %(proof)s::jsonb
where r.id = %(run_id)s;
