-- Stages terms as values for classes. In: raw_terms. Idempotent within a run. Size: tens of rows.
insert into staging.terms (run_id, source_id, status, title, starts_on, ends_on, keep)
select distinct on (btrim(t.source_id))
  %(run_id)s, btrim(t.source_id), staging.as_status(t.status),
  nullif(btrim(t.title), ''), staging.as_day(btrim(t.starts_on)), staging.as_day(btrim(t.ends_on)),
  array_remove(array[
    case when btrim(t.starts_on) <> '' and staging.as_day(btrim(t.starts_on)) is null then 'starts_on' end,
    case when btrim(t.ends_on) <> '' and staging.as_day(btrim(t.ends_on)) is null then 'ends_on' end], null)
from raw_terms t
where btrim(t.source_id) <> ''
order by btrim(t.source_id), t.title, t.starts_on, t.ends_on;
select staging.analyze_run(%(run_id)s, array['terms']);
