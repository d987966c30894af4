-- What this run was told is still there when it planned before (the portal changed meanwhile, a task was repeated): not asked again.
update school_view v set is_protected = true
from sync.findings f join portal.schools p on p.district_id = %(district_id)s and p.issuer = %(issuer)s and p.source_id = f.source_id
where f.run_id = %(run_id)s and f.rule = 'still_live' and f.entity = 'schools' and v.id = p.id;
update user_view v set is_protected = true
from sync.findings f join portal.users p on p.district_id = %(district_id)s and p.issuer = %(issuer)s and p.source_id = f.source_id
where f.run_id = %(run_id)s and f.rule = 'still_live' and f.entity = 'users' and v.id = p.id;
