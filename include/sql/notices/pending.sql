-- What was recorded and not yet sent, by recipient. In: district_id. What could not be sent for two weeks is let go:
-- its address is wrong, and its news is old.
select n.id, n.run_id, n.recipient, n.kind, n.subject_key
from sync.notices n
where n.district_id = %(district_id)s and n.sent_at is null and n.created_at > now() - interval '14 days'
  and (n.kind = 'teacher_books' or exists (
    select from sync.subscriptions s
    where s.district_id = n.district_id and s.is_active and lower(btrim(s.email)) = lower(n.recipient)))
order by n.recipient, n.id;
