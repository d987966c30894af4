-- Gives the selected teachers a license and closes their items, in one statement: a second click finds nothing open.
-- Runs as roster_desk; the license keeps who and when.
with claimed as (
  update sync.worklist w set resolved_at = now(), resolved_by = %(who)s, resolution = 'licensed'
  where w.district_id = %(district)s and w.kind = 'teacher_needs_license' and w.id = any(%(items)s::bigint[])
    and w.resolved_at is null
    and exists (select from portal.users u where u.id = w.subject_id and u.district_id = %(district)s)
    and exists (select from portal.products p where p.id = %(product)s)
  returning w.subject_id
)
insert into portal.license_assignments (district_id, product_id, user_id, assigned_by, expires_on)
select %(district)s, %(product)s, c.subject_id, %(who)s, %(expires_on)s::date from claimed c;
