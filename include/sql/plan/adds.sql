-- What this run adds, updates and restores: the same for Edit and Reset. Only rows that differ enter the plan.
-- In: school_view, new_memberships, class_view, simple_users, feed_memberships, user_view, staging.plan,
-- staging.school_values, staging.class_values, staging.resolved, staging.user_values.
-- Out: present_users, present_classes, staging.plan.
insert into staging.plan (run_id, entity, kind, action, phase, row_id, source_id)
select %(run_id)s, 'schools', 'schools', case when v.is_known then 'restore' else 'add' end, 'adds', v.id, v.source_id
from school_view v
where v.is_in_feed and v.is_selected and v.origin = 'sync' and not v.is_shared;

insert into staging.plan (run_id, entity, kind, action, phase, row_id, source_id, changed)
select %(run_id)s, 'schools', 'schools', 'update', 'updates', d.id, d.source_id, d.changed
from (
  select v.id, v.source_id, array_remove(array[
    case when p.name is distinct from w.name then 'name' end,
    case when p.sis_id is distinct from w.sis_id then 'sis_id' end,
    case when p.state_id is distinct from w.state_id then 'state_id' end,
    case when p.nces_id is distinct from w.nces_id then 'nces_id' end,
    case when p.source_id is distinct from w.source_id or p.issuer is distinct from %(issuer)s then 'source_id' end],
    null) as changed
  from school_view v
  join staging.school_values w on w.run_id = %(run_id)s and w.row_id = v.id and w.source_id = v.source_id
    and not w.is_rejected
  join portal.schools p on p.id = v.id
  where v.is_in_feed and v.is_selected and v.origin = 'sync' and v.is_shared) d
where d.changed <> '{}';

insert into staging.plan (run_id, entity, kind, action, phase, row_id, n, source_id, school_id)
select %(run_id)s, 'classes', 'classes', case when v.is_known then 'restore' else 'add' end, 'adds', v.id, v.n,
  v.source_id, v.school_id
from class_view v
where v.is_in_feed and v.is_selected and v.origin = 'sync' and not v.is_shared;

insert into staging.plan (run_id, entity, kind, action, phase, row_id, n, source_id, school_id, changed)
select %(run_id)s, 'classes', 'classes', 'update', 'updates', d.id, d.n, d.source_id, d.school_id, d.changed
from (
  select v.id, v.n, v.source_id, v.school_id, array_remove(array[
    case when p.school_id is distinct from v.school_id then 'school_id' end,
    case when p.sis_id is distinct from w.sis_id then 'sis_id' end,
    case when p.title is distinct from w.title then 'title' end,
    case when p.subject is distinct from w.subject then 'subject' end,
    case when p.grade is distinct from w.grade then 'grade' end,
    case when p.period is distinct from w.period then 'period' end,
    case when p.term_name is distinct from w.term_name then 'term_name' end,
    case when p.starts_on is distinct from w.starts_on then 'starts_on' end,
    case when p.ends_on is distinct from w.ends_on then 'ends_on' end,
    case when p.source_id is distinct from w.source_id or p.issuer is distinct from %(issuer)s then 'source_id' end],
    null) as changed
  from class_view v
  join staging.class_values w on w.run_id = %(run_id)s and w.n = v.n
  join portal.classes p on p.id = v.id
  where v.is_in_feed and v.is_selected and v.origin = 'sync' and v.is_shared and not v.is_same
    -- speed: else nothing is read
    and exists (select from class_view x where x.is_in_feed and x.is_shared and not x.is_same)) d
where d.changed <> '{}';

-- People. New ones need a role that may be created, and a selected school (or none at all, in 'all schools').
insert into staging.plan (run_id, entity, kind, action, phase, row_id, n, source_id, role)
select %(run_id)s, 'users', sync.kind_of(v.role),
  case when v.is_known then 'restore' else 'add' end, 'adds', v.id, v.n, v.source_id, v.role
from user_view v
where v.is_in_feed and v.origin = 'sync' and not v.is_shared
  and (v.is_listed or (v.lists_no_school and (v.is_known or %(school_mode)s = 'all')));
insert into staging.plan (run_id, entity, kind, action, phase, row_id, n, source_id, role)
select %(run_id)s, 'users', sync.kind_of(role),
  'add', 'adds',
  row_id, n, source_id, role
from staging.resolved where run_id = %(run_id)s and entity = 'users' and how = 'new' and is_simple;

insert into staging.plan (run_id, entity, kind, action, phase, row_id, n, source_id, role, changed)
select %(run_id)s, 'users', sync.kind_of(d.role),
  'update', 'updates', d.id, d.n, d.source_id, d.role, d.changed
from (
  select v.id, v.n, v.source_id, v.role, array_remove(array[
    case when p.email is distinct from w.email then 'email' end,
    case when p.username is distinct from w.username then 'username' end,
    case when p.given_name is distinct from w.given_name then 'given_name' end,
    case when p.family_name is distinct from w.family_name then 'family_name' end,
    case when p.grade is distinct from w.grade then 'grade' end,
    case when p.sis_id is distinct from w.sis_id then 'sis_id' end,
    case when p.state_id is distinct from w.state_id then 'state_id' end,
    case when p.is_enabled is distinct from w.is_enabled then 'is_enabled' end,
    case when p.is_enabled_at_source is distinct from w.is_enabled_at_source then 'is_enabled_at_source' end,
    case when p.source_id is distinct from w.source_id or p.issuer is distinct from %(issuer)s then 'source_id' end],
    null) as changed
  from user_view v
  join staging.user_values w on w.run_id = %(run_id)s and w.n = v.n
  join portal.users p on p.id = v.id
  where v.is_in_feed and v.origin = 'sync' and v.is_shared and not v.is_same
    -- speed: else nothing is read
    and exists (select from user_view x where x.is_in_feed and x.is_shared and not x.is_same)
    and (v.is_listed or (v.lists_no_school and (%(mode)s = 'reset' or not v.was_in_deselected))
      or (v.was_in_selected and %(mode)s = 'edit'))
    and (p.email is distinct from w.email or p.username is distinct from w.username
      or p.given_name is distinct from w.given_name
      or p.family_name is distinct from w.family_name or p.grade is distinct from w.grade
        or p.sis_id is distinct from w.sis_id
      or p.state_id is distinct from w.state_id or p.is_enabled is distinct from w.is_enabled
      or p.is_enabled_at_source is distinct from w.is_enabled_at_source
      or p.source_id is distinct from w.source_id or p.issuer is distinct from %(issuer)s)) d;

-- Who is in the portal once the adds are in.
create temporary table present_users on commit drop as
select v.id from user_view v where v.is_known
union all
select u.id from simple_users u
union all
select p.row_id from staging.plan p where p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'add';
create temporary table present_classes on commit drop as
select v.id from class_view v where v.is_selected and v.is_in_feed
union all
select v.id from class_view v
where v.is_known and not v.is_in_feed and not v.is_gone and v.old_selected
  and (v.is_protected or not %(classes_proved)s);
analyze present_users;
analyze present_classes;

-- Schools of people.
create temporary table membership_diff on commit drop as
select m.user_id, m.school_id, m.is_primary, us.user_id is not null as is_known, us.is_active as was_active
from feed_memberships m
join present_users u on u.id = m.user_id
left join portal.user_schools us on us.user_id = m.user_id and us.school_id = m.school_id
where m.is_selected
  and (us.user_id is null or (us.origin = 'sync' and (not us.is_active or us.is_primary <> m.is_primary)));
insert into staging.plan (run_id, entity, kind, action, phase, user_id, school_id, is_primary)
select %(run_id)s, 'user_schools', 'memberships',
  case when not d.is_known then 'add' when not d.was_active then 'restore' else 'update' end,
  case when d.is_known and d.was_active then 'updates' else 'adds' end, d.user_id, d.school_id, d.is_primary
from membership_diff d
join user_view v on v.id = d.user_id
where v.origin = 'sync' or not d.is_known;
insert into staging.plan (run_id, entity, kind, action, phase, user_id, school_id, is_primary)
select %(run_id)s, 'user_schools', 'memberships', 'add', 'adds', user_id, school_id, is_primary
from new_memberships;
