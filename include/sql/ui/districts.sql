-- The Districts page: every district that the visitor may see, with what it needs from a person, one page of it.
-- asked: the visible districts as the registry and the portal name them, as one JSON text (2,000 literals would take
-- the planner longer than the query).
-- A reading of events (parameter `events`) is a part of a roster: it neither counts what is shared nor is a whole sync.
-- A person's decision on a match is kept as a run without steps, and a preview writes nothing: neither is the last
-- sync. Cost: three index look-ups a district (runs_district twice, worklist_open); items are counted for the page
-- only.
with asked as (
  select * from jsonb_to_recordset(%(asked)s::jsonb) as a (key text, name text, source text, is_enabled boolean)
), waiting as (
  select r.district_id, min(h.due_at) as due_at
  from sync.holds h join sync.runs r on r.id = h.run_id
  where h.answer is null and h.superseded_by is null and r.status = 'held'
  group by r.district_id
), ranked as materialized (
  select a.key, a.name, lower(a.name) as sort_name, a.source, a.is_enabled, d.id as district_id,
    last.id as last_id, last.status as last_status, last.mode as last_mode, last.started_at as last_started_at,
    last.message as last_message, last.step as last_step, good.id as good_id, good.finished_at as good_at,
    waiting.due_at, items.has_items,
    case
      when last.status = 'failed' then 1
      when waiting.due_at is not null then 2
      when last.status in ('expired', 'skipped') then 4
      when a.is_enabled and (good.id is null or good.finished_at < now() - interval '48 hours') then 3
      when items.has_items then 5
      when last.status = 'in_progress' then 6
      else 7
    end as rank
  from asked a
  left join portal.districts d on d.key = a.key
  left join lateral (
    select r.id, r.status, r.mode, r.started_at, r.message, r.step
    from sync.runs r where r.district_id = d.id and r.status <> 'previewed'
      and (r.steps <> '[]' or r.status <> 'launched')
    order by r.id desc limit 1) last on true
  left join lateral (
    select r.id, r.finished_at from sync.runs r
    where r.district_id = d.id and r.mode <> 'undo' and r.steps <> '[]' and not r.parameters ? 'events'
      and (r.status = 'launched' or (r.status in ('held', 'rejected') and r.wrote_at is not null))
    order by r.id desc limit 1) good on true
  left join waiting on waiting.district_id = d.id
  left join lateral (
    select exists (select from sync.worklist w
      where w.district_id = d.id and w.resolved_at is null) as has_items) items on true
), totals as (
  select count(*) as all_districts,
    count(*) filter (where rank <= 4) as person,
    count(*) filter (where last_status = 'failed') as failed,
    count(*) filter (where due_at is not null) as held,
    count(*) filter (where is_enabled and (good_id is null or good_at < now() - interval '48 hours')) as stale,
    count(*) filter (where last_status in ('expired', 'skipped')) as skipped,
    count(*) filter (where last_status = 'in_progress') as running,
    count(*) filter (where has_items) as worklist
  from ranked
), page as (
  select r.* from ranked r
  where (%(search)s = '' or strpos(r.sort_name, lower(%(search)s)) > 0 or strpos(r.key, lower(%(search)s)) > 0)
    and (%(source)s = '' or r.source = %(source)s)
    and case %(view)s
      when 'person' then r.rank <= 4
      when 'failed' then r.last_status = 'failed'
      when 'held' then r.due_at is not null
      when 'stale' then r.is_enabled and (r.good_id is null or r.good_at < now() - interval '48 hours')
      when 'skipped' then r.last_status in ('expired', 'skipped')
      when 'running' then r.last_status = 'in_progress'
      when 'worklist' then r.has_items
      else true end
    and (%(after)s = '' or (r.rank, r.sort_name, r.key) > (
      select s.rank, s.sort_name, s.key from ranked s where s.key = %(after)s))
  order by r.rank, r.sort_name, r.key
  limit %(limit)s
)
select t.*, p.*, n.open_items
from totals t
left join page p on true
left join lateral (
  select count(*) as open_items from sync.worklist w
  where w.district_id = p.district_id and w.resolved_at is null) n on true
order by p.rank, p.sort_name, p.key;
