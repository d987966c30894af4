-- The runs that wrote to the portal since the last one whose `notify` came to its end after that, oldest first: nobody
-- was notified of them. None on most days. In: run_id (the run at hand, which is not among them), district_id. A
-- preview's `notify` opens no items; two rows that a person put together are no news.
select r.id
from sync.runs r
where r.district_id = %(district_id)s and r.id < %(run_id)s and r.wrote_at is not null and r.status <> 'undone'
  and (r.mode <> 'edit' or r.issuer is not null)
  and r.id > coalesce((
    select max(o.id) from sync.runs o
    where o.district_id = %(district_id)s and o.id < %(run_id)s and o.status <> 'previewed' and exists (
      select from jsonb_array_elements(o.steps) s
      where s ->> 'name' = 'notify' and (s ->> 'finished_at')::timestamptz >= coalesce(o.wrote_at, '-infinity'))), 0)
order by r.id;
