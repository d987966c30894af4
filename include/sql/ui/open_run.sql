-- The run of a district that is at work now, if one is. Index: runs_one_open.
select r.id, r.mode, r.started_at from sync.runs r where r.district_id = %(district)s and r.status = 'in_progress';
