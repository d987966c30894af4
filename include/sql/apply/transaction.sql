-- The number of the transaction at work: what it made itself, nobody else can delete before it is committed.
-- In: -.
-- Out: mine, for apply/references.sql.
select pg_current_xact_id()::text as mine;
