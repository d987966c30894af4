-- The district of a run, for addresses that name the run only.
select d.key from sync.runs r join portal.districts d on d.id = r.district_id where r.id = %(run)s;
