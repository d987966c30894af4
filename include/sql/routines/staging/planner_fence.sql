-- Zero, as a fence for the planner. A subquery that selects a volatile function is not merged into the query around it,
-- so what the subquery computes is computed once a row, however often it is used. OFFSET 0 does so as well, but keeps
-- parallel workers away (PostgreSQL 18.4). The function is inlined and costs nothing.
create or replace function staging.planner_fence() returns integer language sql volatile parallel safe return 0;
comment on function staging.planner_fence is
  'Zero; in a subquery it keeps the planner from computing the subquery''s columns more than once.';
