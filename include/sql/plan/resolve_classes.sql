-- Which portal class each class of the feed is: by key, previous id, SIS id, else by a unique school, title, period,
-- term and lead teacher. is_same: every value is what the portal has.
-- In: school_ids, staging.resolved, staging.classes, staging.enrollments.
-- Out: staging.resolved.
insert into staging.resolved (run_id, entity, source_id, n, row_id, how, is_same)
select %(run_id)s, 'classes', s.source_id, s.n, p.id, 'key',
  s.keep = '{}' and s.sis_id is not distinct from p.sis_id and s.title is not distinct from p.title
    and s.subject is not distinct from p.subject
    and s.grade is not distinct from p.grade and s.period is not distinct from p.period
      and s.term_name is not distinct from p.term_name
    and s.starts_on is not distinct from p.starts_on and s.ends_on is not distinct from p.ends_on
from staging.classes s
join portal.classes p on p.district_id = %(district_id)s and p.source_id = s.source_id and p.issuer = %(issuer)s
where s.run_id = %(run_id)s;
insert into staging.resolved (run_id, entity, source_id, n, row_id, how)
select distinct on (s.source_id) %(run_id)s, 'classes', s.source_id, s.n, p.id, 'key'
from portal.classes p
join staging.classes s on s.run_id = %(run_id)s and s.source_id = p.source_id
where p.district_id = %(district_id)s and p.issuer is null and p.origin = 'manual' and p.source_id is not null
  and not exists (select from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'classes' and r.source_id = s.source_id)
order by s.source_id, s.is_rejected, p.id;

select staging.analyze_run(%(run_id)s, array['resolved/classes']);

create temporary table unmatched_classes on commit preserve rows as
select s.n, s.source_id from staging.classes s
where s.run_id = %(run_id)s and s.source_id is not null
  and (s.status = 'active' or s.is_rejected) -- that a record is gone says nothing of a row that lives on as another
  and not exists (select from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'classes' and r.source_id = s.source_id);
analyze unmatched_classes;
insert into staging.resolved (run_id, entity, source_id, n, row_id, how)
select distinct on (p.id) %(run_id)s, 'classes', s.source_id, s.n, p.id, 'previous'
from unmatched_classes s
join sync.former_ids i on i.district_id = %(district_id)s and i.issuer = %(issuer)s and i.entity = 'classes'
  and i.source_id = s.source_id
join portal.classes p on p.id = i.row_id
where not exists (select from staging.resolved r
  where r.run_id = %(run_id)s and r.entity = 'classes' and r.row_id = p.id)
order by p.id, s.source_id;

create temporary table unknown_classes on commit preserve rows as
select s.*, i.id as school_id, null::bigint as lead_id
from staging.classes s left join school_ids i on i.source_id = s.school_source_id
where s.run_id = %(run_id)s and s.status = 'active' and not s.is_rejected
  and not exists (select from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'classes' and r.source_id = s.source_id);
create temporary table unclaimed_classes on commit preserve rows as
select p.*, null::bigint as lead_id from portal.classes p
where p.district_id = %(district_id)s and p.origin = 'sync' and exists (select from unknown_classes)
  and not exists (select from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'classes' and r.row_id = p.id);
analyze unknown_classes;
analyze unclaimed_classes;
-- The lead teacher: the primary one, or the only one.
with lead as (
  select u.n, coalesce(min(r.row_id) filter (where e.is_primary), min(r.row_id)) as lead_id
  from unknown_classes u
  join staging.enrollments e on e.run_id = %(run_id)s and e.class_n = u.n and e.role = 'teacher' and e.is_active
    and not e.is_rejected
  join staging.resolved r on r.run_id = %(run_id)s and r.entity = 'users' and r.n = e.user_n
  where exists (select from unclaimed_classes)
  group by u.n having count(distinct r.row_id) = 1 or count(*) filter (where e.is_primary) = 1)
update unknown_classes u set lead_id = lead.lead_id from lead where lead.n = u.n;
with lead as (
  select c.id, coalesce(min(e.user_id) filter (where e.is_primary), min(e.user_id)) as lead_id
  from unclaimed_classes c join portal.enrollments e on e.class_id = c.id and e.role = 'teacher' and e.is_active
  group by c.id having count(*) = 1 or count(*) filter (where e.is_primary) = 1)
update unclaimed_classes c set lead_id = lead.lead_id from lead where lead.id = c.id;

create temporary table class_pairs on commit preserve rows as
select 1 as rung, u.source_id, c.id as row_id from unknown_classes u join unclaimed_classes c on c.sis_id = u.sis_id
union
select 2, u.source_id, c.id
from unknown_classes u
join unclaimed_classes c on c.school_id = u.school_id and c.title = u.title and c.period is not distinct from u.period
  and c.term_name is not distinct from u.term_name and c.lead_id = u.lead_id;

insert into staging.resolved (run_id, entity, source_id, n, row_id, how)
select %(run_id)s, 'classes', best.source_id, u.n, best.row_id, (array['sis', 'lineage'])[best.rung]
from (
  select distinct on (p.source_id) p.*,
    count(*) over (partition by p.rung, p.source_id) as candidates,
    count(*) over (partition by p.rung, p.row_id) as claimants
  from class_pairs p order by p.source_id, p.rung) best
join unknown_classes u on u.source_id = best.source_id
where best.candidates = 1 and best.claimants = 1
  and not exists (select from class_pairs o
    where o.row_id = best.row_id and o.source_id <> best.source_id and o.rung <= best.rung);

insert into staging.resolved (run_id, entity, source_id, n, row_id, how)
select %(run_id)s, 'classes', s.source_id, s.n, nextval('portal.classes_id_seq'), 'new'
from staging.classes s left join school_ids i on i.source_id = s.school_source_id
where s.run_id = %(run_id)s and s.status = 'active' and not s.is_rejected
  and not exists (select from staging.resolved r
    where r.run_id = %(run_id)s and r.entity = 'classes' and r.source_id = s.source_id)
order by i.id, s.n; -- speed: school by school, as people's
select staging.analyze_run(%(run_id)s, array['resolved/classes']);
