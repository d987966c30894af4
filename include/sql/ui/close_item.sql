-- Closes one item, with who and how. Runs as roster_desk.
update sync.worklist w set resolved_at = now(), resolved_by = %(who)s, resolution = %(resolution)s
where w.id = %(item)s and w.district_id = %(district)s and w.resolved_at is null;
