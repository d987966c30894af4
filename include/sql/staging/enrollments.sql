-- Enrolments, naming class and person by their place in the feed. In: raw_enrollments, raw_rejects, staging.users, .classes.
-- The largest table of a run: one pass, one hash join a side. Duplicates are folded later, by portal id.
analyze raw_enrollments (class_source_id);
insert into staging.enrollments (run_id, class_n, user_n, class_source_id, user_source_id, role, is_primary, is_active,
  begins_on, ends_on, is_rejected, keep)
select
  %(run_id)s, c.n, u.n,
  case when c.n is null then e.class_source_id end,
  case when u.n is null then e.user_source_id end,
  case e.role when 'student' then 'student' when 'teacher' then 'teacher'
    else case lower(btrim(e.role)) when 'student' then 'student' when 'teacher' then 'teacher' end end,
  case when e.role = 'student' or e.is_primary is null then false
    else lower(e.is_primary) = 'true' and lower(btrim(e.role)) = 'teacher' end,
  case when e.status is null or e.status = 'active' then true
    else lower(btrim(e.status)) not in ('tobedeleted', 'inactive') end,
  e.begins, e.ends,
  e.source_id is null or e.class_source_id is null or e.user_source_id is null,
  case when (e.begins is null and e.begins_on <> '') or (e.ends is null and e.ends_on <> '') then
    array_remove(array[case when e.begins is null and e.begins_on <> '' then 'begins_on' end,
                       case when e.ends is null and e.ends_on <> '' then 'ends_on' end], null) end
from (
  -- offset 0 keeps each date from being parsed once per use; 01/02/2026 is no date here, as nobody knows which
  select *, case when begins_on like '____-__-__%%' and pg_input_is_valid(begins_on, 'date') then begins_on::date end as begins,
    case when ends_on like '____-__-__%%' and pg_input_is_valid(ends_on, 'date') then ends_on::date end as ends
  from raw_enrollments offset 0) e
left join staging.classes c on c.run_id = %(run_id)s and c.source_id = e.class_source_id
left join staging.users u on u.run_id = %(run_id)s and u.source_id = e.user_source_id;

-- An id with blanks around it is the same id: few sources do that, so only what found nothing is looked up again.
create temporary table padded on commit drop as
select e.ctid as place, btrim(e.class_source_id) as class_source_id, btrim(e.user_source_id) as user_source_id from staging.enrollments e
where e.run_id = %(run_id)s and (e.class_source_id <> btrim(e.class_source_id) or e.user_source_id <> btrim(e.user_source_id));
analyze padded;
update staging.enrollments e set class_n = coalesce(e.class_n, c.n), user_n = coalesce(e.user_n, u.n),
  class_source_id = case when c.n is null then p.class_source_id end, user_source_id = case when u.n is null then p.user_source_id end
from padded p
left join staging.classes c on c.run_id = %(run_id)s and c.source_id = p.class_source_id
left join staging.users u on u.run_id = %(run_id)s and u.source_id = p.user_source_id
where e.run_id = %(run_id)s and e.ctid = p.place;

insert into staging.enrollments (run_id, class_n, user_n, class_source_id, user_source_id, role, is_active, is_rejected)
select %(run_id)s, c.n, u.n, r.known ->> 'class_source_id', r.known ->> 'user_source_id', null, true, true
from raw_rejects r
left join staging.classes c on c.run_id = %(run_id)s and c.source_id = r.known ->> 'class_source_id'
left join staging.users u on u.run_id = %(run_id)s and u.source_id = r.known ->> 'user_source_id'
where r.collection = 'enrollments' and (r.known ->> 'class_source_id' <> '' or r.known ->> 'user_source_id' <> '');
