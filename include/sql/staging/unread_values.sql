-- Whether terms or courses hold a record that could not be read, or has no id: what it gave to classes is not gone, as
-- where a delta leaves it out. In: raw_rejects, raw_terms, raw_courses. Reads only.
select distinct collection from raw_rejects where collection in ('terms', 'courses') and rule <> 'blank_line'
union
select 'terms' from raw_terms where coalesce(btrim(source_id), '') = ''
union
select 'courses' from raw_courses where coalesce(btrim(source_id), '') = '';
