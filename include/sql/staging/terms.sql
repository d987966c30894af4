-- Terms as values for classes. In: raw_terms. Idempotent within a run. Size: tens of rows.
insert into staging.terms (run_id, source_id, status, title, starts_on, ends_on, keep)
select distinct on (btrim(t.source_id))
  %(run_id)s, btrim(t.source_id), case when lower(t.status) in ('tobedeleted', 'inactive') then 'tobedeleted' else 'active' end,
  nullif(btrim(t.title), ''),
  case when t.starts_on like '____-__-__%%' and pg_input_is_valid(t.starts_on, 'date') then t.starts_on::date end,
  case when t.ends_on like '____-__-__%%' and pg_input_is_valid(t.ends_on, 'date') then t.ends_on::date end,
  array_remove(array[
    case when t.starts_on <> '' and not (t.starts_on like '____-__-__%%' and pg_input_is_valid(t.starts_on, 'date')) then 'starts_on' end,
    case when t.ends_on <> '' and not (t.ends_on like '____-__-__%%' and pg_input_is_valid(t.ends_on, 'date')) then 'ends_on' end], null)
from raw_terms t
where btrim(t.source_id) <> ''
order by btrim(t.source_id), t.title, t.starts_on, t.ends_on;
select staging.analyze_run(%(run_id)s, array['terms']);
