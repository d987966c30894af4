-- Writes a selection row per school of the feed; a school whose id changed takes its selection along. Runs before the
-- schools change. Taken out and put in again: two schools may exchange their ids. Where people chose for the new id
-- already, that counts.
-- In: staging.schools, staging.resolved; follow: whether a selection moves along now.
-- Out: sync.school_selection.
-- speed: (select ...): what folds to `false` takes the run's number along, and every run's part would be locked
-- (PostgreSQL 18.4)
create temporary table moving_selection on commit drop as
select old.*, r.source_id as new_source_id
from staging.resolved r join portal.schools p on p.id = r.row_id
join sync.school_selection old on old.district_id = %(district_id)s and old.source_id = p.source_id
where r.run_id = %(run_id)s and r.entity = 'schools' and r.how not in ('key', 'new') and (select %(follow)s)
  and p.source_id <> r.source_id;
delete from moving_selection m
where exists (select from sync.school_selection x
  where x.district_id = %(district_id)s and x.source_id = m.new_source_id)
  and not exists (select from moving_selection x where x.source_id = m.new_source_id);
delete from sync.school_selection s using moving_selection m
where s.district_id = %(district_id)s and s.source_id = m.source_id;
insert into sync.school_selection (district_id, source_id, name, is_selected, first_seen_at)
select district_id, new_source_id, name, is_selected, first_seen_at from moving_selection on conflict do nothing;
drop table moving_selection;

insert into sync.school_selection (district_id, source_id, name, is_selected)
select %(district_id)s, s.source_id, coalesce(s.name, s.source_id), %(school_mode)s = 'all'
from staging.schools s
join staging.resolved r on r.run_id = %(run_id)s and r.entity = 'schools' and r.source_id = s.source_id
where s.run_id = %(run_id)s and s.status = 'active' and not s.is_rejected and (%(follow)s or r.how in ('key', 'new'))
on conflict (district_id, source_id) do update set name = excluded.name
where sync.school_selection.name is distinct from excluded.name;
