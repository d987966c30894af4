-- Opens the question of a held run, with the rows that it asks about and the licenses and books that would be freed
-- with them. A run has one open question: a new one replaces it.
-- In: to_free, staging.plan. Also the question: scope, summary, digest, hours.
-- Out: sync.holds, sync.held_rows.
delete from sync.holds where run_id = %(run_id)s and answer is null and superseded_by is null;
update sync.holds set applied_at = now() where run_id = %(run_id)s and answer = 'approved' and applied_at is null;
with asked as (
  insert into sync.holds (run_id, plan_digest, scope, summary, due_at)
  values (%(run_id)s, %(digest)s, %(scope)s, %(summary)s, clock_timestamp() + make_interval(secs => %(hours)s * 3600))
  returning id
)
insert into sync.held_rows (hold_id, entity, row_id, class_id, user_id, school_id, role)
select asked.id, p.entity, p.row_id, p.class_id, p.user_id, p.school_id, p.role
from asked cross join staging.plan p
where p.run_id = %(run_id)s and p.phase = 'removals' and (%(scope)s <> 'reset' or p.action = 'delete')
union all
select asked.id, f.entity, f.row_id, f.class_id, f.user_id, null, null from asked cross join to_free f;
