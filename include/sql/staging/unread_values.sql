-- Which of terms and courses hold a record that could not be read: what it gave to classes is not gone, as where a delta leaves it out.
-- In: raw_rejects. Reads only.
select distinct collection from raw_rejects where collection in ('terms', 'courses') and rule <> 'blank_line';
