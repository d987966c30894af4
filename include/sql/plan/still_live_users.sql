-- People whom the source called still there when this run asked for them: they count as seen. Size: at most 200.
-- In: user_view. Also sync.findings.
-- Out: user_view.
update user_view v set is_protected = true
from sync.findings f
join portal.users p on p.district_id = %(district_id)s and p.issuer = %(issuer)s and p.source_id = f.source_id
where f.run_id = %(run_id)s and f.rule = 'still_live' and f.entity = 'users' and v.id = p.id and not v.is_in_feed;
