-- What an Edit takes out of sight: unshared and ended, never deleted. Needs proof of the whole collection, or the
-- source's own word (tobedeleted). What a rejected row names, and what belongs to it, counts as seen.
-- In: school_view, class_view, feed_memberships, user_view, enrollment_diff.
-- Out: staging.plan.
insert into staging.plan (run_id, entity, kind, action, phase, row_id)
select %(run_id)s, 'schools', 'schools', 'unshare', 'removals', v.id
from school_view v
where v.is_known and v.origin = 'sync' and v.is_shared and v.is_selected and not v.is_in_feed and not v.is_protected
  and (v.is_gone or (v.source_id is null and %(schools_proved)s));

insert into staging.plan (run_id, entity, kind, action, phase, row_id, school_id)
select %(run_id)s, 'classes', 'classes', 'unshare', 'removals', v.id, v.old_school_id
from class_view v
where v.is_known and v.origin = 'sync' and v.is_shared and v.old_selected and not v.is_protected
  and (v.is_gone or (v.is_in_feed and not v.is_selected) or (v.source_id is null and %(classes_proved)s));

-- A person is unshared whom no selected school lists and who is in no deselected one. Where they are in the feed, this
-- needs the proof of classes and enrollments, too, because a class may be what lists them.
insert into staging.plan (run_id, entity, kind, action, phase, row_id, role)
select %(run_id)s, 'users', sync.kind_of(v.role),
  'unshare', 'removals', v.id, v.role
from user_view v
where v.is_known and v.origin = 'sync' and v.is_shared and not v.is_protected and not v.was_in_deselected
  and case when v.is_in_feed then v.was_in_selected and not v.is_listed and not v.lists_no_school
                                  and %(users_proved)s and %(classes_proved)s and %(enrollments_proved)s
           else v.is_gone or %(users_proved)s end;

insert into staging.plan (run_id, entity, kind, action, phase, user_id, school_id)
select %(run_id)s, 'user_schools', 'memberships', 'end', 'removals', us.user_id, us.school_id
from portal.user_schools us
join school_view s on s.id = us.school_id and s.is_selected and s.origin = 'sync' and not s.is_protected
join user_view v on v.id = us.user_id and v.origin = 'sync' and not v.is_protected
left join feed_memberships m on m.user_id = us.user_id and m.school_id = us.school_id
where us.origin = 'sync' and us.is_active and m.user_id is null
  and (v.is_gone
    or (%(users_proved)s and %(schools_proved)s
      and (not v.is_in_feed or (%(classes_proved)s and %(enrollments_proved)s))))
  and not exists ( -- the people of a rejected class are left alone
    select from class_view c join portal.enrollments e on e.class_id = c.id
    where c.is_protected and e.user_id = us.user_id and e.is_active and c.old_school_id = us.school_id);

insert into staging.plan (run_id, entity, kind, action, phase, class_id, user_id, role)
select %(run_id)s, 'enrollments', 'enrollments', 'end', 'removals', d.class_id, d.user_id, d.role
from enrollment_diff d
join class_view c on c.id = d.class_id and not c.is_protected
left join user_view u on u.id = d.user_id -- no row: a simple person, who is in the feed
where d.in_portal and d.origin = 'sync' and u.is_protected is not true
  and case when c.is_in_feed then c.is_selected
    and (d.in_feed = false or u.is_gone is true or (d.in_feed is null and %(enrollments_proved)s))
           -- a class that the feed may leave out: only the source's own word ends something in it
           else not %(classes_proved)s and c.is_shared and c.old_selected and not c.is_gone
             and (d.in_feed = false or u.is_gone is true) end;
