-- Every class that this run looks at: the feed's and the portal's, where it was and is, and what counts as seen of
-- it. In a Reset also the schools that stay because such a class does.
-- In: school_view, school_ids, staging.classes, staging.resolved, staging.unusual_enrollments.
-- Out: class_view, school_view.
create temporary table class_view on commit preserve rows as
with feed as (
  select r.row_id, s.n, s.source_id, s.status, s.is_rejected, r.how, r.is_same,
    case when 'school_id' = any (s.keep) then coalesce(old.school_id, sv.id) else sv.id end as school_id,
    coalesce(sv.is_selected, false) as school_selected, coalesce(sv.is_gone, false) as school_gone
  from staging.classes s
  join staging.resolved r on r.run_id = %(run_id)s and r.entity = 'classes' and r.source_id = s.source_id
  left join portal.classes old on old.id = r.row_id
  left join school_ids i on i.source_id = s.school_source_id
  left join school_view sv on sv.id = i.id
  where s.run_id = %(run_id)s
), one_each as (
  select distinct on (row_id) * from feed order by row_id, is_rejected, status, source_id
)
select coalesce(f.row_id, p.id) as id, f.n, f.source_id, f.how, p.id is not null as is_known,
  coalesce(p.origin, 'sync') as origin,
  coalesce(p.is_shared, false) as is_shared, f.school_id, p.school_id as old_school_id,
  coalesce(f.is_same and f.school_id = p.school_id, false) as is_same,
  coalesce(f.status = 'active' and not f.is_rejected and not f.school_gone and f.school_id is not null,
    false) as is_in_feed,
  coalesce(f.school_selected, false) as is_selected,
  coalesce(f.is_rejected, false) as is_protected,
  coalesce(not f.is_rejected and (f.status = 'tobedeleted' or f.school_gone), false) as is_gone,
  coalesce(o.is_selected, false) as old_selected
from one_each f
full join (select * from portal.classes where district_id = %(district_id)s) p on p.id = f.row_id
left join school_view o on o.id = p.school_id;

-- What a rejected row names counts as seen: its class, or (of a row without an id) a class that looks like it. 
-- speed: the rejected rows are few and set aside first: each way to name a class is then one hash join
create temporary table classes_without_id on commit preserve rows as
select sis_id, title from staging.classes where run_id = %(run_id)s and source_id is null;
create temporary table rejected_class_ids on commit preserve rows as
select distinct e.class_source_id as source_id from staging.unusual_enrollments e
where e.run_id = %(run_id)s and e.is_rejected and e.class_source_id is not null
  and exists (select from sync.run_counts n
    where n.run_id = %(run_id)s and n.entity = 'enrollments' and n.rejected > 0);
analyze classes_without_id;
analyze rejected_class_ids;
create temporary table classes_of_rejected on commit preserve rows as
select p.id from portal.classes p join rejected_class_ids r on r.source_id = p.source_id
where p.district_id = %(district_id)s and p.issuer = %(issuer)s
union select p.id from portal.classes p join classes_without_id s on s.sis_id = p.sis_id
where p.district_id = %(district_id)s
union select p.id from portal.classes p join classes_without_id s on s.title = p.title
where p.district_id = %(district_id)s;
update class_view v set is_protected = true
from classes_of_rejected n where n.id = v.id and v.is_known and not v.is_in_feed and not v.is_protected;
-- and so do the classes of a school whose own row was rejected
update class_view v set is_protected = true
from school_view s where s.id = v.old_school_id and s.is_protected and not v.is_in_feed and not v.is_protected;
-- A Reset cannot delete the school of a class that stays, nor the people of that class.
update school_view s set is_protected = true
from class_view v
where %(mode)s = 'reset' and v.is_protected and v.is_known and s.id = v.old_school_id and not s.is_in_feed
  and not s.is_protected;
create index on class_view (n);
alter table class_view add primary key (id);
analyze class_view;
