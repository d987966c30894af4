-- Matches that are not proved and not guessed: a new person beside someone who is gone with the same full name in the same
-- school, or a number or an email that several could own. Out: temporary review_pairs, findings about roles.
create temporary table review_pairs on commit drop as
select distinct p.row_id as new_id, c.row_id as candidate_id
from staging.plan p join user_pairs c on c.source_id = p.source_id
where p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'add';

insert into review_pairs
select distinct p.row_id, c.id
from staging.plan p
join staging.users s on s.run_id = %(run_id)s and s.n = p.n
join unclaimed_users c on c.family_name = lower(s.family_name) and c.given_name = lower(s.given_name)
join feed_memberships m on m.user_id = p.row_id
join portal.user_schools us on us.user_id = c.id and us.school_id = m.school_id
where p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'add'
  and not exists (select from review_pairs r where r.new_id = p.row_id and r.candidate_id = c.id);

delete from sync.findings where run_id = %(run_id)s and rule in ('role_maps_to_nothing', 'role_not_created');
insert into sync.findings (run_id, entity, source_id, severity, rule, field, message)
select %(run_id)s, 'users', u.source_id, 'info', case when u.roles = '{}' then 'role_maps_to_nothing' else 'role_not_created' end, 'role',
  case when u.roles = '{}' then 'The role at the source is none that the portal knows; the person was passed over.'
       else 'This district does not let the sync create people of this role; the person was passed over. Allow it in the registry, or add the person by hand.' end
from unknown_users u
where not exists (select from staging.resolved r where r.run_id = %(run_id)s and r.entity = 'users' and r.source_id = u.source_id)
limit 1000;

-- What people shall look at: opened with the adds.
insert into staging.plan (run_id, entity, kind, action, phase, row_id, user_id)
select %(run_id)s, 'worklist', 'match_review', 'open', 'adds', r.new_id, r.candidate_id from review_pairs r;

insert into staging.plan (run_id, entity, kind, action, phase, row_id, changed)
select %(run_id)s, 'worklist', 'role_drift', 'open', 'adds', v.id, case when s.roles = '{}' then s.source_roles else s.roles end
from user_view v join staging.users s on s.run_id = %(run_id)s and s.n = v.n
where v.is_in_feed and v.is_known and v.origin = 'sync' and not v.role = any (s.roles) and s.source_roles <> '{}'
  and (v.is_listed or v.lists_no_school or v.stood_selected);
