"""What the DAGs say about themselves in the Airflow UI: what they do, how a run can end, what to do when it is red."""

from __future__ import annotations

from typing import Final

from roster_sync.config.districts import District
from roster_sync.core import source_kinds

OUTCOMES: Final = """
### How a run can end
| Status | In Airflow | Meaning | What to do |
|---|---|---|---|
| Launched | green | the portal matches the source, even if nothing had changed | nothing |
| On Hold | green | more would change than the limits allow; everything else was applied | answer under *Browse > Required Actions* |
| Rejected | green | someone rejected the held part; it stays as it was | talk to the district |
| Skipped | green | the source was not ready, or another run of the district was in progress | nothing, unless it happens every night |
| Expired | green | the sync's expiration date has passed | set a new date in the district's settings |
| Previewed | green | a preview; nothing was written | read the run's page |
| Failed | **red** | the run stopped before it wrote; the portal is unchanged | follow the last sentence of the failed task's log |
| Launched, On Hold, Previewed | **red** at `notify` or `ask` only | the run is done; its emails or its question are missing | the same |

A red run: `docs/runbooks/failed-run.md`. A late run: `docs/runbooks/late-run.md`.
A question: `docs/runbooks/held-run.md`. No emails: `docs/runbooks/mails-do-not-go-out.md`.
"""  # noqa: E501 - a row of a Markdown table is one line

STEPS: Final = """
### Its steps
`start` checks whether the run may start, `extract` reads the source into staging, `validate` checks the whole roster,
`plan` compares it with the portal, `apply` writes in one transaction, `notify` updates the worklist and sends the
emails, `ask` starts the question of a held run in `roster_approve`, and `finish` always closes the run and reports its
counts, for a Reset also before and after.

You can clear a failed step: `start` and `finish` run again with it, and the run continues where it was.
"""

RESET: Final = f"""
## Reset: make a district's portal match exactly what is shared now
It adds, updates and restores like the nightly sync, and then **deletes** what no selected school shares any more.
Every school and teacher who is still shared keeps their licenses. `roster_undo` brings back what a Reset deleted for
as long as it is kept (`ROSTER_UNDO_DAYS`, by default 30 days).

**Start with *Preview only*.** It writes nothing and shows what would be deleted. A Reset that would delete a school,
free a license or go over a limit ends on hold before it writes, and asks under *Browse > Required Actions*.
{OUTCOMES}{STEPS}
"""

UNDO: Final = """
## Undo: put back what a run deleted or changed
You can undo any Reset whose rows are still kept (`ROSTER_UNDO_DAYS`, by default 30 days), even after later nightly
syncs, and a nightly sync while it is the newest run that wrote. Deleted people, schools, classes, licenses and books
return with their IDs. What people did since then stays. The role of an existing person never changes.

The next nightly sync follows the source again: people whom the district still does not share are marked as no longer
shared.

A run that is red before `notify` changed nothing. Follow the last sentence of the failed task's log. More in
`docs/runbooks/undo-a-run.md`.
"""

APPROVE: Final = f"""
## The questions of held runs
Each run here is one question. A run that goes on hold starts it, and it waits under *Browse > Required Actions*. Do not
start it manually. *Approve* lets the held run continue; *Reject* leaves everything as it is; without an answer in time,
nothing happens. A later run of the same district replaces the question: answering it then changes nothing, and says so.

Only an answer given there counts. Marking the task `question` as success approves nothing.
{OUTCOMES}
"""

HOUSEKEEPING: Final = """
## Housekeeping
Each day, `purge` deletes staged rosters, findings and before-images after their keep-by dates and closes runs that were
cut off, `refresh_worklists` closes worklist items that are done, and `warn` sends an email when a sync expires soon
(30, 7 and 1 days before, and on the day).

A red run does no immediate harm: the disk fills up, and warnings are late. Follow the last sentence of the failed
task's log. More in `docs/runbooks/housekeeping.md`.
"""


def freshen_doc(district: District) -> str:
    """The text of one district's hourly reading of events."""
    return f"""
## {district.name}: changes since the last sync
Reads Clever's events every hour and applies what was added or changed. It **never removes** anything. The nightly sync
reads everything and finds what is gone.

Most of its runs are *skipped*, as intended: nothing happened, the nightly sync is in progress, a question is waiting
for an answer, or something is uncertain (a gap in the events, someone who may be known under another ID, more changes
than the limits allow) and is left to the nightly sync. The log of `start` says which.

It begins after the first complete nightly sync, and needs events enabled for the application at Clever. To turn it off,
set `freshen: off` in the district's registry entry.

A red run does no harm: the next hour or the nightly sync applies what it did not. Follow the last sentence of the
failed task's log. More in `docs/runbooks/failed-run.md`.
{STEPS}
"""


def sync_doc(district: District) -> str:
    """The text of one district's nightly sync."""
    source = source_kinds.find(district.source.kind).label
    return f"""
## {district.name}: the nightly sync
Reads the district's roster from {source} and updates the portal: it adds, updates and restores, and it **never
deletes**. Rows that are no longer shared stay, marked as such. Licenses, books, roles and manually added rows stay.

Starts at `{district.schedule}` ({district.timezone}). You can start it at any time; no field has to be filled in.
`preview_only` writes nothing; `max_deleted_percent` changes the limit for one run, and 100 lifts every limit.
{OUTCOMES}{STEPS}
"""
