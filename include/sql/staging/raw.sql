-- Where a feed lands as it came: temporary, of this session only, gone when the run is staged. All text; columns as in
-- core/vocabulary.py, COLLECTIONS. People, their roles, enrollments and records that could not be read land in tables
-- of the run, which workers and a second connection
-- can read, gone at the same moment: staging.open_raw. Of passwords, phones and whatever else is not mapped, one byte
-- lands.
create temporary table raw_orgs (source_id text, status text, name text, type text, identifier text,
  parent_source_id text, state_id text, nces_id text) on commit preserve rows;
create temporary table raw_terms (source_id text, status text, title text, type text, starts_on text, ends_on text)
  on commit preserve rows;
create temporary table raw_courses (source_id text, status text, title text, course_code text, grades text,
  subjects text) on commit preserve rows;
create temporary table raw_classes (n integer generated always as identity (cache 1000), source_id text, status text,
  title text, grades text, course_source_id text, class_code text, class_type text, school_source_id text,
  term_source_ids text, subjects text, periods text) on commit preserve rows;
