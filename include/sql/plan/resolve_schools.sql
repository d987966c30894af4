-- Which portal school each school of the feed is: by key, previous id, SIS id, state or NCES id, or a unique name. A
-- candidate is a synced row that the feed does not itself name, claimed once; between two candidates nobody guesses.
-- Empties the run's part of staging.resolved and staging.plan first. Locks nothing in portal.
-- In: staging.resolved, staging.schools, staging.classes, staging.users.
-- Out: school_view, school_ids, staging.resolved, staging.plan.
delete from staging.resolved where run_id = %(run_id)s;
delete from staging.plan where run_id = %(run_id)s;

insert into staging.resolved (run_id, entity, source_id, row_id, how)
select distinct on (s.source_id) %(run_id)s, 'schools', s.source_id, p.id, 'key'
from staging.schools s
join portal.schools p on p.district_id = %(district_id)s and p.source_id = s.source_id
  and (p.issuer = %(issuer)s or (p.issuer is null and p.origin = 'manual'))
where s.run_id = %(run_id)s
order by s.source_id, p.issuer nulls last, p.id;

insert into staging.resolved (run_id, entity, source_id, row_id, how)
select %(run_id)s, 'schools', min(s.source_id), p.id, 'previous'
from staging.schools s
join sync.former_ids i on i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'schools'
  and i.source_id = s.source_id
join portal.schools p on p.id = i.row_id
where s.run_id = %(run_id)s
  and (s.status = 'active' or s.is_rejected) -- that a record is gone says nothing of a row that lives on as another
  and not exists (select from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'schools' and r.source_id = s.source_id)
  and not exists (select from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'schools' and r.row_id = p.id)
group by p.id;

-- The rungs of the ladder, each a pair of columns; the clearest first.
create temporary table unclaimed_schools on commit preserve rows as
select p.* from portal.schools p
where p.district_id = %(district_id)s and p.origin = 'sync'
  and not exists (select from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'schools' and r.row_id = p.id);
create temporary table unknown_schools on commit preserve rows as
select s.* from staging.schools s
where s.run_id = %(run_id)s and s.status = 'active' and not s.is_rejected
  and not exists (select from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'schools' and r.source_id = s.source_id);
create temporary table school_pairs on commit preserve rows as
select rung, u.source_id, c.id as row_id
from unknown_schools u
cross join lateral (values (1, u.sis_id), (2, u.nces_id), (3, u.state_id), (4, lower(u.name))) w (rung, value)
join unclaimed_schools c on w.value =
  case w.rung when 1 then c.sis_id when 2 then c.nces_id when 3 then c.state_id else lower(c.name) end;

insert into staging.resolved (run_id, entity, source_id, row_id, how)
select %(run_id)s, 'schools', best.source_id, best.row_id, (array['sis', 'state', 'state', 'name'])[best.rung]
from (
  select distinct on (p.source_id) p.*,
    count(*) over (partition by p.rung, p.source_id) as candidates,
    count(*) over (partition by p.rung, p.row_id) as claimants
  from school_pairs p order by p.source_id, p.rung) best
where best.candidates = 1 and best.claimants = 1
  and not exists (select from school_pairs o
    where o.row_id = best.row_id and o.source_id <> best.source_id and o.rung <= best.rung);

insert into staging.resolved (run_id, entity, source_id, row_id, how)
select %(run_id)s, 'schools', s.source_id, nextval('portal.schools_id_seq'), 'new'
from staging.schools s
where s.run_id = %(run_id)s and s.status = 'active' and not s.is_rejected
  and not exists (select from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'schools' and r.source_id = s.source_id)
order by s.source_id;

-- Every school that this run looks at: the feed's and the portal's, and whether its district wants it.
create temporary table school_view on commit preserve rows as
with feed as (
  select r.row_id, s.source_id, s.status, s.is_rejected, r.how
  from staging.schools s
  join staging.resolved r on r.run_id = %(run_id)s and r.entity = 'schools' and r.source_id = s.source_id
  where s.run_id = %(run_id)s
), one_each as (
  -- several feed rows can mean one school (a rejected row and a good one): the good one counts
  select distinct on (row_id) * from feed order by row_id, is_rejected, status, source_id
)
select coalesce(f.row_id, p.id) as id, f.source_id, f.how, p.id is not null as is_known,
  coalesce(p.origin, 'sync') as origin,
  coalesce(p.is_shared, false) as is_shared,
  coalesce(f.status = 'active' and not f.is_rejected, false) as is_in_feed,
  coalesce(f.is_rejected, false) as is_protected,
  coalesce(f.status = 'tobedeleted' and not f.is_rejected, false) as is_gone,
  case when %(school_mode)s = 'all' then true
       else coalesce(mine.is_selected, old.is_selected, false) end as is_selected
from one_each f
full join (select * from portal.schools where district_id = %(district_id)s) p on p.id = f.row_id
left join sync.school_selection mine on mine.district_id = %(district_id)s and mine.source_id = f.source_id
  -- two issuers may use the same id: this selection belongs to the school that had it
  and (f.how = 'key' or not exists (
    select from staging.resolved m join portal.schools x on x.id = m.row_id
    where m.run_id = %(run_id)s and m.entity = 'schools' and m.how not in ('key', 'new')
      and x.source_id = f.source_id and x.id <> f.row_id))
left join sync.school_selection old on old.district_id = %(district_id)s and old.source_id = p.source_id;
alter table school_view add primary key (id);

-- A school's id, as classes and people write it; an id that a school had before still means it.
create temporary table school_ids on commit preserve rows as
select distinct on (source_id) source_id, id from (
  select r.source_id, r.row_id as id, 1 as rank from staging.resolved r
  where r.run_id = %(run_id)s and r.entity = 'schools'
  union all
  select p.source_id, p.id, 2 from portal.schools p
  where p.district_id = %(district_id)s and p.issuer = %(issuer)s and p.source_id is not null
  union all
  select i.source_id, p.id, 3 from sync.former_ids i join portal.schools p on p.id = i.row_id
  where i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'schools') ids
order by source_id, rank;
alter table school_ids add primary key (source_id);
analyze school_ids;

-- What a rejected row names counts as seen: its school by id, or (of a row without an id) one that looks like it.
create temporary table rejected_school_ids on commit preserve rows as
select school_source_id as source_id from staging.classes where run_id = %(run_id)s and is_rejected
union
select o from staging.users u cross join unnest(u.school_source_ids) o where u.run_id = %(run_id)s and u.is_rejected;
update school_view v set is_protected = true
from rejected_school_ids n join school_ids i on i.source_id = n.source_id
where i.id = v.id and not v.is_in_feed;
update school_view v set is_protected = true
from portal.schools p
where p.id = v.id and not v.is_in_feed and not v.is_protected
  and exists (select from staging.schools s
    where s.run_id = %(run_id)s and s.source_id is null and (s.name = p.name or s.sis_id = p.sis_id));
analyze school_view;
-- speed: else the apply step joins 1,400 schools in 20 s
select staging.analyze_run(%(run_id)s, array['resolved/rest']);
