-- Licenses and books that would be freed with the rows that a Reset deletes, and one word for all of them: a license
-- that is given or a book that is handed out meanwhile makes it another word.
-- In: staging.plan.
-- Out: to_free. Result: digest.
drop table if exists to_free;
create temporary table to_free on commit drop as
with going as materialized (
  select p.entity, p.row_id as id from staging.plan p
  where %(mode)s = 'reset' and p.run_id = %(run_id)s and p.entity in ('schools', 'users', 'classes')
    and p.action = 'delete'
)
select 'licenses' as entity, l.id as row_id, null::bigint as class_id, null::bigint as user_id
from portal.license_assignments l
where l.school_id in (select id from going where entity = 'schools')
  or l.user_id in (select id from going where entity = 'users')
union all
select 'books', b.book_id, b.class_id, b.user_id from portal.student_books b
where b.user_id in (select id from going where entity = 'users')
  or b.class_id in (select id from going where entity = 'classes')
union all
select 'class_books', b.book_id, b.class_id, null from portal.class_books b
where b.class_id in (select id from going where entity = 'classes');
select md5(count(*) || ':'
  || coalesce(bit_xor(hashtextextended(concat_ws(':', entity, row_id, class_id, user_id), 0)), 0)) as digest
from to_free;
