-- What a Reset deletes: all that is not shared by a selected school; rows made by hand with their school, or on
-- request.
-- Never a district_admin; a school_admin only with the last of their schools; never a candidate of an open match
-- review, nor what a rejected row names.
-- In: school_view, class_view, feed_memberships, user_view, review_pairs, enrollment_diff, staging.plan. Also
-- sync.worklist.
-- Out: staging.plan.
insert into staging.plan (run_id, entity, kind, action, phase, row_id)
select %(run_id)s, 'schools', 'schools', 'delete', 'removals', v.id
from school_view v
where v.is_known and not v.is_protected and not (v.is_in_feed and v.is_selected)
  and (v.origin = 'sync' or %(include_manual)s)
  and not exists (select from class_view c where c.is_protected and c.is_known and c.old_school_id = v.id);
create temporary table schools_to_delete on commit drop as
select row_id as id from staging.plan where run_id = %(run_id)s and entity = 'schools' and action = 'delete';
analyze schools_to_delete;

insert into staging.plan (run_id, entity, kind, action, phase, row_id, school_id)
select %(run_id)s, 'classes', 'classes', 'delete', 'removals', v.id, v.old_school_id
from class_view v
where v.is_known and not v.is_protected
  and case when v.origin = 'sync' then not (v.is_in_feed and v.is_selected)
           else (%(include_manual)s and not (v.is_in_feed and v.is_selected))
             or v.old_school_id in (select id from schools_to_delete) end;

create temporary table open_candidates on commit drop as
select second_subject_id as id from sync.worklist
where district_id = %(district_id)s and kind = 'match_review' and resolved_at is null
union select candidate_id from review_pairs;
-- The schools of people who are deleted only with the last of them: their own, and those of their classes.
create temporary table school_ties on commit drop as
select t.user_id, count(*) as ties, count(*) filter (where d.id is null) as kept
from (
  select us.user_id, us.school_id from portal.user_schools us
  union all
  select e.user_id, coalesce(c.school_id, c.old_school_id) from portal.enrollments e
  join class_view c on c.id = e.class_id and c.is_known
  where e.is_active) t
join user_view u on u.id = t.user_id and u.is_known and (u.origin = 'manual' or u.role = 'school_admin')
join school_view v on v.id = t.school_id
left join schools_to_delete d on d.id = t.school_id
group by t.user_id;
analyze school_ties;

insert into staging.plan (run_id, entity, kind, action, phase, row_id, role)
select %(run_id)s, 'users', sync.kind_of(v.role),
  'delete', 'removals', v.id, v.role
from user_view v
left join school_ties t on t.user_id = v.id
where v.is_known and not v.is_protected and v.role <> 'district_admin'
  and not exists (select from open_candidates k where k.id = v.id)
  and not (v.is_in_feed and (v.is_listed or v.lists_no_school))
  and case when v.role = 'school_admin' then t.ties > 0 and t.kept = 0
           when v.origin = 'sync' then true
           else %(include_manual)s or (t.ties > 0 and t.kept = 0) end;

-- People whom no Reset may delete and nobody shares any more are taken out of sight.
insert into staging.plan (run_id, entity, kind, action, phase, row_id, role)
select %(run_id)s, 'users', sync.kind_of(v.role),
  'unshare', 'removals', v.id, v.role
from user_view v
where v.is_known and v.origin = 'sync' and v.is_shared and not v.is_protected
  and not (v.is_in_feed and (v.is_listed or v.lists_no_school))
  and not exists (select from staging.plan p
    where p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'delete' and p.row_id = v.id);

create temporary table classes_to_delete on commit drop as
select row_id as id from staging.plan where run_id = %(run_id)s and entity = 'classes' and action = 'delete';
create temporary table users_to_delete on commit drop as
select row_id as id from staging.plan where run_id = %(run_id)s and entity = 'users' and action = 'delete';
alter table classes_to_delete add primary key (id);
alter table users_to_delete add primary key (id);
analyze classes_to_delete;
analyze users_to_delete;

insert into staging.plan (run_id, entity, kind, action, phase, class_id, user_id, role)
select %(run_id)s, 'enrollments', 'enrollments', 'delete', 'removals', e.class_id, e.user_id, e.role
from portal.enrollments e
join class_view k on k.id = e.class_id and k.is_known
left join classes_to_delete c on c.id = e.class_id
left join users_to_delete u on u.id = e.user_id
left join enrollment_diff d on d.class_id = e.class_id and d.user_id = e.user_id and d.role = e.role
where (
  c.id is not null or u.id is not null
  or (e.origin = 'manual' and %(include_manual)s and d.class_id is not null and coalesce(d.in_feed, false) = false)
  or (e.origin = 'sync' and d.class_id is not null and coalesce(d.in_feed, false) = false
      and not exists (select from class_view v where v.id = e.class_id and v.is_protected)
      and not exists (select from user_view v where v.id = e.user_id and v.is_protected)));

insert into staging.plan (run_id, entity, kind, action, phase, user_id, school_id)
select %(run_id)s, 'user_schools', 'memberships', 'delete', 'removals', us.user_id, us.school_id
from portal.user_schools us
join school_view v on v.id = us.school_id
left join schools_to_delete s on s.id = us.school_id
left join users_to_delete u on u.id = us.user_id
left join feed_memberships m on m.user_id = us.user_id and m.school_id = us.school_id and m.is_selected
left join user_view p on p.id = us.user_id
where s.id is not null or u.id is not null
  or (us.origin = 'manual' and %(include_manual)s and m.user_id is null
    and p.role not in ('district_admin', 'school_admin'))
  -- no p: a simple person, who is unchanged
  or (us.origin = 'sync' and m.user_id is null and not v.is_protected and not p.is_protected
      -- an admin who stays without being shared keeps their schools
      and not (p.role in ('district_admin', 'school_admin')
        and not (p.is_in_feed and (p.is_listed or p.lists_no_school)))
      and (p.is_in_feed or not exists (select from open_candidates k where k.id = us.user_id)));
drop table schools_to_delete, classes_to_delete, users_to_delete; -- reset/delete.sql makes its own
