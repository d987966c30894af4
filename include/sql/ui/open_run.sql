-- The run of a district that is in progress, if there is one. Index: runs_one_open.
select r.id, r.mode, r.started_at from sync.runs r where r.district_id = %(district)s and r.status = 'in_progress';
