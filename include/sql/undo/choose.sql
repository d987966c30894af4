-- The runs of a district that can be undone now: Resets of the last 30 days, and the newest run that wrote where it
-- is an Edit. What is no longer kept (housekeeping) cannot be put back.
-- In: key, days, target (a run, or null for all).
-- Out: the runs, the newest first; why_not: a sentence where one cannot be undone.
select r.id, r.mode, r.status, r.wrote_at, r.district_id,
  case
    when r.wrote_at is null then 'It wrote nothing, so there is nothing to undo.'
    when r.status = 'undone' then 'It was already undone.'
    when r.mode = 'undo' then 'It is an undo itself. Run the sync to follow the source again.'
    when r.wrote_at < now() - make_interval(days => %(days)s) then 'It is older than the ' || %(days)s
      || ' days for which removed rows are kept.'
    when r.mode = 'edit' and exists (
      select from sync.runs later where later.district_id = r.district_id and later.id <> r.id
        and (later.id > r.id or later.wrote_at > r.wrote_at) and later.wrote_at is not null)
      then 'An Edit can be undone only while it is the newest run that wrote.'
  end as why_not
from sync.runs r join portal.districts d on d.id = r.district_id
where d.key = %(key)s and (r.id = %(target)s or %(target)s::bigint is null) and r.status <> 'in_progress'
order by r.id desc;
