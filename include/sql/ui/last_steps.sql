-- The steps of the last run of a district in one mode that went through, before a run: how long each takes. Index:
-- runs_district.
select r.steps from sync.runs r
where r.district_id = %(district)s and r.id < %(run)s and r.mode = %(mode)s and r.status in ('launched', 'undone')
  and r.steps <> '[]'
order by r.id desc limit 1;
