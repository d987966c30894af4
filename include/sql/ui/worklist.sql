-- Open items of one kind in a district, oldest first, keyset by id, with what each is about. Index: worklist_open.
select w.id, w.kind, w.subject_type, w.subject_id, w.second_subject_id, w.detail, w.opened_at, w.opened_run_id,
  case when w.subject_type = 'school' then s.name else concat_ws(', ', u.family_name, u.given_name) end as label,
  u.email, u.role, u.grade, u.is_shared, u.created_at,
  (select string_agg(x.name, ', ' order by x.name) from portal.user_schools us
    join portal.schools x on x.id = us.school_id
     where us.user_id = u.id and us.is_active) as schools,
  k.title as class_title,
  (select string_agg(b.title, ', ' order by b.title) from portal.class_books cb join portal.books b on b.id = cb.book_id
     where cb.class_id = k.id) as books,
  o.id as other_id, concat_ws(', ', o.family_name, o.given_name) as other_label, o.email as other_email,
  o.role as other_role,
  o.is_shared as other_is_shared, o.origin as other_origin, o.created_at as other_created_at
from sync.worklist w
left join portal.users u on w.subject_type = 'user' and u.id = w.subject_id
left join portal.schools s on w.subject_type = 'school' and s.id = w.subject_id
left join portal.classes k on w.kind = 'student_needs_books' and k.id = w.second_subject_id
left join portal.users o on w.kind = 'match_review' and w.subject_type = 'user' and o.id = w.second_subject_id
where w.district_id = %(district)s and w.kind = %(kind)s and w.resolved_at is null and w.id > %(after)s
order by w.id limit %(limit)s;
