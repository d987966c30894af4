-- Writes which schools are selected, and who changed what: only schools whose selection changes. Runs as roster_desk.
with changed as (
  update sync.school_selection c set is_selected = c.source_id = any(%(chosen)s::text[])
  where c.district_id = %(district)s and c.is_selected <> (c.source_id = any(%(chosen)s::text[]))
  returning c.name, c.is_selected
)
insert into sync.settings_history (district_id, changed_by, setting, before, after)
select %(district)s, %(who)s, 'schools', jsonb_build_object('chosen', off.names),
  jsonb_build_object('chosen', onn.names)
from (select coalesce(jsonb_agg(name order by name) filter (where not is_selected), '[]') as names from changed) off,
  (select coalesce(jsonb_agg(name order by name) filter (where is_selected), '[]') as names from changed) onn
where exists (select from changed);
