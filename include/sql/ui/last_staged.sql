-- The newest run of a district whose feed is still staged.
select r.id, r.started_at, r.status, r.wrote_at from sync.runs r
where r.district_id = %(district)s and r.mode <> 'undo' and to_regclass('staging.users_' || r.id) is not null
order by r.id desc limit 1;
