"""What the DAGs say of themselves in the Airflow UI: what they do, what their outcomes mean, what to do when red."""

from __future__ import annotations

from typing import Final

from roster_sync.config.districts import District
from roster_sync.core import source_kinds

OUTCOMES: Final = """
### How a run can end
| Outcome | In Airflow | Means | What to do |
|---|---|---|---|
| Launched | green | the portal follows the feed, also where nothing was to change | nothing |
| On hold | green | more would change than the limits allow; all else is applied | answer under *Browse > Required Actions* |
| Rejected | green | a person said no; what was held stays as it was | talk to the district |
| Skipped | green | the source was not ready, or another run of the district was at work | nothing, unless it happens every night |
| Expired | green | the sync's expiration date has passed | set a new date in the district's settings |
| Previewed | green | only looked; nothing was written | read the run's page |
| Failed | **red** | the run stopped before it wrote; the portal is as it was | the failed task's log ends in one sentence: follow it |
| Launched, On hold, Previewed | **red** at `notify` or `ask` only | the run is done; its mails or its question are missing | the same |

A red run: `docs/runbooks/failed-run.md`. A late one: `docs/runbooks/late-run.md`.
A question: `docs/runbooks/held-run.md`. No mails: `docs/runbooks/mails-do-not-go-out.md`.
"""  # noqa: E501 - a row of a Markdown table is one line

STEPS: Final = """
### Its steps
`start` refuses what must not run, `extract` reads the source into staging, `validate` judges the feed as a whole,
`plan` compares it with the portal, `apply` writes in one transaction, `notify` brings the worklist up to date and sends
the mails, `ask` starts the question of a held run in `roster_approve`, `finish` closes the run whatever happened and
reports its counts, of a Reset also before and after.

A step that failed can be cleared: `start` and `finish` run again with it, and the run goes on where it was.
"""

RESET: Final = f"""
## Reset: make a district's portal hold exactly what is shared now
It adds, updates and restores like the nightly sync, and then **deletes** what is no longer shared by a selected school.
Licenses of every school and teacher who is still shared stay. What it deletes can be brought back with `roster_undo`
for as long as it is kept (`ROSTER_UNDO_DAYS`; 30 days where it says nothing).

**Begin with *Preview only*.** It writes nothing and shows what would go. A Reset that deletes a school, frees a license
or is over a limit ends on hold before it writes, and asks under *Browse > Required Actions*.
{OUTCOMES}{STEPS}
"""

UNDO: Final = """
## Undo: put back what a run removed or changed
Any Reset whose rows are still kept (`ROSTER_UNDO_DAYS`; 30 days where it says nothing), also after later nightly syncs;
a nightly sync only while it is the newest run that wrote. Deleted people, schools, classes, licenses and books return
with their ids. What people did since is kept. The role of a person who is there is never touched.

The next nightly sync follows the feed again: if the district still does not share a person, that sync marks them so.

A run that is red before `notify` changed nothing: the failed task's log ends in one sentence. More in
`docs/runbooks/undo-a-run.md`.
"""

APPROVE: Final = f"""
## The questions of held runs
Each run here is one question, started by a run that is on hold, and waits under *Browse > Required Actions*. Do not
start it by hand. *Approve* lets the held run go on; *Reject* leaves everything as it is; without an answer in time
nothing happens. A later run of the same district closes the question: answering it then changes nothing, and says so.

Only an answer given there counts. Marking the task `question` as success approves nothing.
{OUTCOMES}
"""

HOUSEKEEPING: Final = """
## Housekeeping
Each day: `purge` drops staged feeds, findings and before-images that are past their keep-by date and closes runs that
were cut off, `refresh_worklists` closes worklist items whose work is done, and `warn` mails that a sync expires soon
(30, 7 and 1 days before, and on the day).

A red run harms nothing at once: disk fills and warnings come late. The failed task's log ends in one sentence.
`docs/runbooks/housekeeping.md`
"""


def freshen_doc(district: District) -> str:
    """The text of one district's reading of events."""
    source = source_kinds.find(district.source.kind).label
    return f"""
## {district.name}: what happened since the last sync
Reads {source}'s events hour by hour and applies what was added or changed; it **never removes** anything. The nightly
sync stays the truth: it reads everything, and finds what is gone.

Mostly its runs are *skipped*, and that is as it should be: nothing happened, the nightly sync is at work, a question
waits for an answer, or something is in doubt (a gap in the events, someone who may be known under another id, more
changes than the limits allow), which waits for the night. `start` says which in its log.

It begins after the first nightly sync that came whole, and needs events switched on for the application at {source}. To
switch it off: `freshen: off` in the district's registry entry.

A red run harms nothing: what it did not apply comes with the next hour or the night. The failed task's log ends in one
sentence: follow it. More in `docs/runbooks/failed-run.md`.
{STEPS}
"""


def sync_doc(district: District) -> str:
    """The text of one district's nightly sync."""
    source = source_kinds.find(district.source.kind).label
    return f"""
## {district.name}: the nightly sync
Reads the district's roster from {source} and brings the portal up to date: it adds, updates and restores, and it
**never deletes**. Who is no longer shared stays, marked as not shared. Licenses, books, roles and what people made by
hand stay.

Starts at `{district.schedule}` ({district.timezone}). It can be started by hand at any time; nothing has to be filled
in. `preview_only` writes nothing; `max_deleted_percent` changes the limit for one run, and 100 lifts every limit.
{OUTCOMES}{STEPS}
"""
