-- Schools that the source called still there when this run asked for them: they count as seen, and so does what
-- belongs to them. Size: at most 200.
-- In: school_view. Also sync.findings.
-- Out: school_view.
update school_view v set is_protected = true
from sync.findings f
join portal.schools p on p.district_id = %(district_id)s and p.issuer = %(issuer)s and p.source_id = f.source_id
where f.run_id = %(run_id)s and f.rule = 'still_live' and f.entity = 'schools' and v.id = p.id and not v.is_in_feed;
