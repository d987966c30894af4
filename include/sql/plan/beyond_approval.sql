-- What a Reset would now delete or free that nobody approved: rows by their id; memberships, enrollments and books
-- by their whole key.
-- In: to_free, staging.plan. Also hold_id, the approved question.
-- Out: how many rows.
create temporary table approved_rows on commit drop as
select distinct entity, coalesce(row_id, 0) as row_id, coalesce(class_id, 0) as class_id,
  coalesce(user_id, 0) as user_id,
  case when entity = 'user_schools' then coalesce(school_id, 0) else 0 end as school_id,
  case when entity = 'enrollments' then role else '' end as role
from sync.held_rows where hold_id = %(hold_id)s;
analyze approved_rows;
select
  (select count(*) from staging.plan p
   left join approved_rows a on a.entity = p.entity and a.row_id = coalesce(p.row_id, 0)
     and a.class_id = coalesce(p.class_id, 0)
     and a.user_id = coalesce(p.user_id, 0)
       and a.school_id = case when p.entity = 'user_schools' then coalesce(p.school_id, 0) else 0 end
     and a.role = case when p.entity = 'enrollments' then p.role else '' end
   where p.run_id = %(run_id)s and p.action = 'delete' and a.entity is null)
  + (select count(*) from to_free f
     left join approved_rows a on a.entity = f.entity and a.row_id = f.row_id and a.class_id = coalesce(f.class_id, 0)
       and a.user_id = coalesce(f.user_id, 0)
     where a.entity is null) as rows;
