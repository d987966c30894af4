-- Whether the portal still is what the plan saw: every row that would change is still there as it was found, and a
-- person who would be deleted still has the role by which that was decided. Whether the id of a new row was taken
-- meanwhile is not looked up: the insert fails on it, and the run is planned again.
-- In: run_id, to_free_digest, is_replanned (planned in this very transaction).
-- Out: fits; and from sync.runs.plan: phases, seen, sentence.
select
  -- speed: a first load only adds: its plan is not read
  case when not r.plan @? '$.counts.*.keyvalue() ? (@.key <> "add")' then true else
    not exists (
      select from staging.plan p left join portal.users u on u.id = p.row_id
      where p.run_id = %(run_id)s and p.entity = 'users' and p.action <> 'add'
        and case p.action when 'restore' then u.id is null or u.is_shared
                          when 'unshare' then u.id is null or not u.is_shared
                          when 'delete' then u.id is null or u.role <> p.role else u.id is null end)
    and not exists (
      select from staging.plan p left join portal.classes c on c.id = p.row_id
      where p.run_id = %(run_id)s and p.entity = 'classes' and p.action <> 'add' and c.id is null)
    and not exists (
      select from staging.plan p left join portal.schools s on s.id = p.row_id
      where p.run_id = %(run_id)s and p.entity = 'schools' and p.action <> 'add' and s.id is null) end
  -- a school admin, or a person made by hand, is deleted only with the last of their schools: added to one since, they
  -- may stay
  and (r.mode <> 'reset' or not exists (
    select from staging.plan p
    join portal.users u on u.id = p.row_id and (u.role = 'school_admin' or u.origin = 'manual')
    join portal.user_schools us on us.user_id = u.id
    where p.run_id = %(run_id)s and p.entity = 'users' and p.action = 'delete' and not exists (
      select from staging.plan g
      where g.run_id = %(run_id)s and g.entity = 'user_schools' and g.action = 'delete' and g.user_id = us.user_id
        and g.school_id = us.school_id)))
  -- two rows were merged since: the person who would be unshared goes on as another row
  and (%(is_replanned)s or not exists (
    select from sync.runs o where o.district_id = r.district_id and o.id > r.id and o.wrote_at is not null))
  -- a license or a book was given since to somebody who would be deleted: the plan did not count it
  and (r.mode <> 'reset' or r.plan ->> 'to_free_digest' is not distinct from %(to_free_digest)s) as fits,
  r.plan -> 'seen' as seen, coalesce(r.plan ->> 'sentence', '') as sentence,
  array(select jsonb_array_elements_text(r.plan -> 'phases')) as phases
from sync.runs r where r.id = %(run_id)s;
