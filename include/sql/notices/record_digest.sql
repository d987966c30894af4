-- Records what this run reports to each active subscriber: one row per subject and recipient, only once (unique key).
-- In: run_id. Needs: book_news (book_news.sql). A repeated or reopened run adds only what is new.
-- A dummy admin of the publisher gets no email, not as a subscriber either.
with run as (
  select r.*, 'run:' || r.id as run_key from sync.runs r where r.id = %(run_id)s
),
recipients as (
  select distinct on (lower(btrim(s.email))) btrim(s.email) as email
  from sync.subscriptions s join run r on r.district_id = s.district_id
  where s.is_active and not exists (
    select from portal.users u
    where u.district_id = s.district_id and u.is_dummy and lower(btrim(u.email)) = lower(btrim(s.email)))
  order by lower(btrim(s.email)), s.id
),
facts (kind, subject_key) as (
  select 'failure', run_key from run where status = 'failed'
  union all
  select 'hold', 'hold:' || h.id
  from sync.holds h join run r on r.id = h.run_id where h.answer is null and h.superseded_by is null
  union all
  select 'preview', run_key from run where status = 'previewed'
  union all
  select 'undo', run_key from run where mode = 'undo' and status = 'launched'
  union all
  select 'reset', run_key from run where mode = 'reset' and status = 'launched'
  union all
  select 'new_people', run_key from run r where exists (
    select from portal.users u
    where u.district_id = r.district_id and u.created_run_id = r.id and u.role <> 'student' and not u.is_dummy)
  union all
  select 'new_schools', run_key from run r where exists (
    select from portal.schools s where s.district_id = r.district_id and s.created_run_id = r.id)
  union all
  select 'new_students', run_key from run r where r.mode <> 'undo' and exists ( -- whom an undo puts back is not new
    select from sync.run_counts c where c.run_id = r.id and c.entity = 'students' and c.added > 0)
  union all
  -- after a Reset the subscribers get the count of all who need books; else of those whose teachers get no email
  select case when mode = 'reset' then 'students_need_books' else 'books_without_teacher' end, run_key
  from run where exists (select from book_news where email is null or mode = 'reset')
  union all
  select 'offered_school', l.source_id
  from sync.school_selection l
  join run r on r.district_id = l.district_id
  join sync.settings t on t.district_id = l.district_id and t.school_mode = 'listed'
  where not l.is_selected and l.first_seen_at >= r.started_at
  union all
  -- an undo frees nothing: what it takes from a row that goes along with another goes on there
  select 'licenses_freed', run_key from run r where r.mode <> 'undo' and exists (
    select from sync.changes c
    where c.run_id = r.id and c.table_name in ('license_assignments', 'student_books') and c.action = 'delete')
  union all
  select 'role_drift', run_key from run r where r.mode <> 'undo' and exists ( -- reported when it was first seen
    select from sync.worklist w
    where w.district_id = r.district_id and w.kind = 'role_drift' and w.opened_run_id = r.id)
  union all
  select 'match_review', run_key from run r where exists (
    select from sync.worklist w
    where w.district_id = r.district_id and w.kind = 'match_review' and w.opened_run_id = r.id)
  union all
  -- the same rows of the same rule are not reported again every night; another number of them is
  select 'rejected', f.entity || ':' || f.rule || ':' || count(*)
  from sync.findings f join run r on r.id = f.run_id where f.severity = 'error' group by f.entity, f.rule
  union all
  select 'not_complete', n.key || ':' || md5(n.value)
  from run r cross join jsonb_each_text(coalesce(r.proof -> 'not_complete', '{}')) n
)
insert into sync.notices (run_id, district_id, recipient, kind, subject_key)
select r.id, r.district_id, p.email, f.kind, f.subject_key
from facts f cross join recipients p cross join run r
on conflict (district_id, recipient, kind, subject_key) do nothing;
