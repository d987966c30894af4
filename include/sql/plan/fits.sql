-- Whether the portal still is what the plan saw: every row that would change is still there as it was found.
select
  not exists (
    select from staging.plan p left join portal.users u on u.id = p.row_id
    where p.run_id = %(run_id)s and p.entity = 'users'
      and case p.action when 'add' then u.id is not null when 'restore' then u.id is null or u.is_shared
                        when 'delete' then u.id is null when 'unshare' then u.id is null or not u.is_shared else u.id is null end)
  and not exists (
    select from staging.plan p left join portal.classes c on c.id = p.row_id
    where p.run_id = %(run_id)s and p.entity = 'classes' and case p.action when 'add' then c.id is not null else c.id is null end)
  and not exists (
    select from staging.plan p left join portal.schools s on s.id = p.row_id
    where p.run_id = %(run_id)s and p.entity = 'schools' and case p.action when 'add' then s.id is not null else s.id is null end)
  -- licences that would now be freed beyond those that the plan counted
  and (r.mode <> 'reset' or (r.plan ->> 'licenses_freed')::bigint >= (
    select count(*) from portal.license_assignments l
    where l.school_id in (select row_id from staging.plan where run_id = %(run_id)s and entity = 'schools' and action = 'delete')
       or l.user_id in (select row_id from staging.plan where run_id = %(run_id)s and entity = 'users' and action = 'delete'))) as fits,
  r.plan -> 'seen' as seen, coalesce(r.plan ->> 'sentence', '') as sentence,
  array(select jsonb_array_elements_text(r.plan -> 'phases')) as phases
from sync.runs r where r.id = %(run_id)s;
