-- Closes a match review, with who and how; 'same' names the run that can be undone.
update sync.worklist w
set resolved_at = now(), resolved_by = %(who)s, resolution = %(resolution)s,
  detail = w.detail ||
    case when %(run_id)s::bigint is null then '{}' else jsonb_build_object('run_id', %(run_id)s::bigint) end
where w.id = %(item)s and w.kind = 'match_review' and w.resolved_at is null;
