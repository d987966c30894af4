-- Open items of one district by kind. Index: worklist_open.
select w.kind, count(*) as open_items from sync.worklist w
where w.district_id = %(district)s and w.resolved_at is null group by w.kind;
