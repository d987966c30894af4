"""What the tasks of `roster_freshen__<key>` do besides those of a sync: begin where there is news, read the events."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from roster_sync.core.errors import SyncRefused
from roster_sync.engine import freshen
from roster_sync.orchestration import hooks, task_runtime

if TYPE_CHECKING:
    from airflow.sdk import Context

    from roster_sync.config.districts import District


def start(context: Context, district: District) -> int:
    """Opens an Edit of events. Where nothing happened, or anything else is at work or waits, it leaves no trace."""
    from roster_sync.engine import runs

    task_runtime.refuse_unknown_keys(context)
    asked = task_runtime.request_of(context, "edit")
    request = replace(asked, parameters={**asked.parameters, freshen.PARAMETER: True})
    with closing(hooks.portal_connection()) as connection, task_runtime.refusals("start"):
        position = freshen.position(connection, district)
        if not hooks.open_events(district, position).has_news():
            raise SyncRefused("Nothing happened at Clever since the events were last read.", status="skipped")
        return runs.begin(connection, district, request, is_alive=task_runtime.alive_asker(context))


def extract(context: Context, district: District, run_id: int) -> dict[str, Any]:
    """Streams what happened since the district's position in its events into staging."""
    from roster_sync.feed import staging

    with task_runtime.working(context, run_id, "extract") as work:
        source = hooks.open_events(district, freshen.position(work.connection, district))
        work.counts.update(staging.load(work.connection, run_id, district, source))
        work.rows = sum(count for name, count in work.counts.items() if name != "requests")
    return dict(work.counts)
