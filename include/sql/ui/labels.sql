-- Names for the ids on one page: people, classes, schools and books that are still in the portal.
select 'user' as kind, u.id, concat_ws(', ', u.family_name, u.given_name) as label from portal.users u
  where u.district_id = %(district)s and u.id = any(%(users)s::bigint[])
union all
select 'class', c.id, c.title from portal.classes c
  where c.district_id = %(district)s and c.id = any(%(classes)s::bigint[])
union all
select 'school', s.id, s.name from portal.schools s
  where s.district_id = %(district)s and s.id = any(%(schools)s::bigint[])
union all
select 'book', b.id, b.title from portal.books b where b.id = any(%(books)s::bigint[])
union all
select 'product', p.id, p.title from portal.products p where p.id = any(%(products)s::bigint[]);
