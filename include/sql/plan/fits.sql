-- Whether the portal still is what the plan saw: every row that would change is still there as it was found. A new row's id
-- that is taken meanwhile is not looked for: the insert fails on it, and the run is planned again.
select
  not exists (
    select from staging.plan p left join portal.users u on u.id = p.row_id
    where p.run_id = %(run_id)s and p.entity = 'users' and p.action <> 'add'
      and case p.action when 'restore' then u.id is null or u.is_shared
                        when 'unshare' then u.id is null or not u.is_shared else u.id is null end)
  and not exists (
    select from staging.plan p left join portal.classes c on c.id = p.row_id
    where p.run_id = %(run_id)s and p.entity = 'classes' and p.action <> 'add' and c.id is null)
  and not exists (
    select from staging.plan p left join portal.schools s on s.id = p.row_id
    where p.run_id = %(run_id)s and p.entity = 'schools' and p.action <> 'add' and s.id is null)
  -- a licence given or a book handed out since to who goes: what would be freed is not what the plan counted
  and (r.mode <> 'reset' or r.plan ->> 'freed_digest' is not distinct from %(freed_digest)s) as fits,
  r.plan -> 'seen' as seen, coalesce(r.plan ->> 'sentence', '') as sentence,
  array(select jsonb_array_elements_text(r.plan -> 'phases')) as phases
from sync.runs r where r.id = %(run_id)s;
