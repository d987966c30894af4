-- Sets aside what waits for the full read. Events report some people and classes only, so they do not show who is gone.
-- A person or class that is new and looks like one that the portal has may be the same under a new id, a sibling or a
-- namesake: it waits for the full read, which knows. It counts as seen, and changes nothing.
-- A school that the portal does not show yet waits with all that is in it: of one that was only just selected, half
-- would come.
-- In: school_view, school_ids, staging.users, staging.classes.
-- Out: school_view, staging.users, staging.classes. Also findings about what waits.
update school_view set is_selected = false where not is_shared;

create temporary table waiting_records on commit preserve rows as
with people as (
  select s.n, s.sis_id, lower(btrim(s.email)) as email, lower(s.given_name) as given_name,
    lower(s.family_name) as family_name
  from staging.users s
  where s.run_id = %(run_id)s and s.status = 'active' and not s.is_rejected
    and not exists (select from sync.former_ids i where i.district_id = %(district_id)s and i.issuer = %(issuer)s
                    and i.entity = 'users' and i.source_id = s.source_id)
    and not exists (select from portal.users p where p.district_id = %(district_id)s and p.source_id = s.source_id
                    and (p.issuer = %(issuer)s or (p.issuer is null and p.origin = 'manual')))
), known as (
  select p.sis_id, lower(btrim(p.email)) as email, lower(p.given_name) as given_name,
    lower(p.family_name) as family_name
  from portal.users p where p.district_id = %(district_id)s and exists (select from people)
), sections as (
  select s.n, s.sis_id, s.title, s.period, i.id as school_id
  from staging.classes s left join school_ids i on i.source_id = s.school_source_id
  where s.run_id = %(run_id)s and s.status = 'active' and not s.is_rejected
    and not exists (select from sync.former_ids x where x.district_id = %(district_id)s and x.issuer = %(issuer)s
                    and x.entity = 'classes' and x.source_id = s.source_id)
    and not exists (select from portal.classes c where c.district_id = %(district_id)s and c.issuer = %(issuer)s
                    and c.source_id = s.source_id)
), taught as (
  select c.sis_id, c.title, c.period, c.school_id from portal.classes c
  where c.district_id = %(district_id)s and exists (select from sections)
)
select 'users' as entity, p.n from people p join known k on k.sis_id = p.sis_id
union select 'users', p.n from people p join known k on k.email = p.email
union select 'users', p.n from people p join known k on k.given_name = p.given_name and k.family_name = p.family_name
union select 'classes', s.n from sections s join taught t on t.sis_id = s.sis_id
union select 'classes', s.n from sections s
  join taught t on t.school_id = s.school_id and t.title = s.title and t.period is not distinct from s.period;

update staging.users s set is_rejected = true from waiting_records w
where s.run_id = %(run_id)s and w.entity = 'users' and s.n = w.n;
update staging.classes s set is_rejected = true from waiting_records w
where s.run_id = %(run_id)s and w.entity = 'classes' and s.n = w.n;

insert into sync.findings (run_id, entity, source_id, severity, rule, message)
select %(run_id)s, 'users', s.source_id, 'info', 'waits_for_full_read',
  'Someone new who may be known already, under another id: left to the nightly full read, which can tell.'
from staging.users s join waiting_records w on w.entity = 'users' and w.n = s.n where s.run_id = %(run_id)s
union all
select %(run_id)s, 'classes', s.source_id, 'info', 'waits_for_full_read',
  'A new class that may be known already, under another id: left to the nightly full read, which can tell.'
from staging.classes s join waiting_records w on w.entity = 'classes' and w.n = s.n where s.run_id = %(run_id)s
limit 1000;
