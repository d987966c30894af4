-- The schools that a connection test saw; in the mode 'listed' a new one is offered, not selected. Runs as roster_desk.
insert into sync.school_selection (district_id, source_id, name, is_selected)
select %(district)s, t.source_id, t.name, s.school_mode = 'all'
from unnest(%(ids)s::text[], %(names)s::text[]) as t (source_id, name)
join sync.settings s on s.district_id = %(district)s
on conflict (district_id, source_id) do update set name = excluded.name
where sync.school_selection.name is distinct from excluded.name;
