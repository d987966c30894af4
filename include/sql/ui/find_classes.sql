-- Classes whose title begins with the searched text. Index: classes_page_idx.
select c.id from portal.classes c
where c.district_id = %(district)s and coalesce(lower(c.title), '') collate "C" >= %(exact)s
  and coalesce(lower(c.title), '') collate "C" < %(exact_end)s
order by coalesce(lower(c.title), '') collate "C", c.id limit %(limit)s;
