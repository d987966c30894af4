-- The second pass over staged enrollments (the first: staging/stage_enrollments.sql): ids with blanks around them,
-- records that could not be read, the counts. In: staging.*, raw_enrollments, raw_rejects. Out: temporary
-- enrollment_counts. Duplicates are folded later. An id with blanks around it is the same id: few sources do that, so
-- only what found nothing is looked up again.
update staging.unusual_enrollments e set class_n = coalesce(e.class_n, c.n), user_n = coalesce(e.user_n, u.n)
from (select place, class_source_id, user_source_id from staging.unusual_enrollments
  where run_id = %(run_id)s and is_padded) p
left join staging.classes c on c.run_id = %(run_id)s and c.source_id = p.class_source_id
left join staging.users u on u.run_id = %(run_id)s and u.source_id = p.user_source_id
where e.run_id = %(run_id)s and e.place = p.place and e.is_padded;
update staging.enrollments e set class_n = coalesce(e.class_n, p.class_n), user_n = coalesce(e.user_n, p.user_n)
from staging.unusual_enrollments p
where p.run_id = %(run_id)s and p.is_padded and e.run_id = %(run_id)s and e.place = p.place
  and exists (select from staging.unusual_enrollments where run_id = %(run_id)s and is_padded); -- else nothing is read

insert into staging.unusual_enrollments (run_id, class_n, user_n, class_source_id, user_source_id, is_primary,
  is_active, is_rejected,
  is_elsewhere, is_padded)
select %(run_id)s, c.n, u.n, r.class_source_id, r.user_source_id, false, true, true, true, false
from (select btrim(known ->> 'class_source_id') as class_source_id, btrim(known ->> 'user_source_id') as user_source_id
      from raw_rejects where collection = 'enrollments') r
left join staging.classes c on c.run_id = %(run_id)s and c.source_id = r.class_source_id
left join staging.users u on u.run_id = %(run_id)s and u.source_id = r.user_source_id
where r.class_source_id <> '' or r.user_source_id <> '';
select staging.analyze_run(%(run_id)s, array['unusual_enrollments/rows']);

-- The counts that several checks need, taken once: whatever is not unusual is active and points somewhere. A line is
-- here twice where two rows of the feed have its person's or class's id. A class or a person that a delta leaves out
-- may be in the portal.
create temporary table enrollment_counts on commit drop as
with came as (
  select count(*) as lines from raw_enrollments
), judged as (
  select distinct on (e.place, case when e.place is null then row_number() over () end) e.*,
    e.class_n is null and (%(classes_complete)s or not exists (
      select from sync.source_ids i
      where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'classes'
        and i.source_id = e.class_source_id)) as no_class,
    e.user_n is null and (%(users_complete)s or not exists (
      select from sync.source_ids i
      where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'users'
        and i.source_id = e.user_source_id)) as no_user
  from staging.unusual_enrollments e where e.run_id = %(run_id)s
), counted as (
  select count(*) filter (where place is null) as unread, count(*) filter (where is_rejected) as rejected,
    count(*) filter (where not is_rejected
      and (((no_class or no_user) and not %(is_partial)s) or keep is not null)) as warned,
    count(*) filter (where not is_rejected and no_class) as dangling_classes,
    count(*) filter (where not is_rejected and no_user) as dangling_users,
    count(*) filter (where not is_rejected and not is_active) as inactive,
    -- lines of the feed only: checks/unreadable.sql counts the records that could not be read itself
    count(*) filter (where place is not null and is_rejected
      and (staging.is_blank(class_source_id) or staging.is_blank(user_source_id))) as unreadable,
    count(*) filter (where keep is not null) as kept,
    count(*) filter (where role is null) as other_roles
  from judged
)
select c.lines + t.unread as received, t.rejected, t.warned, t.dangling_classes, t.dangling_users,
  c.lines + t.unread - t.rejected - t.inactive as active, c.lines + t.unread - t.rejected as total, t.unreadable,
  t.kept, t.other_roles
from came c cross join counted t;
