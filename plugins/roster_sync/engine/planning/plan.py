"""The plan: what a run would do, row by row, before it does it; and whether a person has to be asked first."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from roster_sync.core.errors import SyncRefused
from roster_sync.database import db
from roster_sync.database.parallel import ParallelStep, allow_idle
from roster_sync.engine import locks, runs
from roster_sync.engine.planning import comparison
from roster_sync.engine.planning.absences import Absences, MissingRecord
from roster_sync.engine.planning.context import PlanContext
from roster_sync.engine.planning.decision import Decision, decide

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District
    from roster_sync.engine.planning.results import Comparison
    from roster_sync.sources.base import Askable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Attempt:
    """A plan that is decided; or one that is not, as the source is to be asked for these records first."""

    decision: Decision | None
    missing: tuple[MissingRecord, ...] = ()


def make(connection: Connection, run_id: int, district: District, source: Askable | None = None) -> str:
    """Plans a run and decides: 'apply', 'held' or 'previewed'. Writes staging.plan and the run's record, nothing else.

    Args:
        connection: to the portal's database; a second one is opened for the enrollments.
        run_id: whose feed is staged.
        district: whose run it is.
        source: asked by a Reset for what is missing in the feed; None where a source cannot be asked.

    Raises:
        errors.SyncRefused: nothing is shared, no school is selected, a Reset without a complete feed.
    """
    absences = Absences(source)
    with db.acting_as(connection, "roster_read") as cursor:
        run = runs.record(cursor, run_id)
    while True:
        attempt = _plan_once(connection, run, district, absences)
        if attempt.decision is not None:
            log.info("run %s: %s", run_id, attempt.decision.status)
            return attempt.decision.status
        absences.ask(connection, run_id, attempt.missing)


def _plan_once(connection: Connection, run: runs.RunRecord, district: District, absences: Absences) -> _Attempt:
    """Two transactions, with a second connection in parallel.

    It sorts the enrollments while the first recognizes schools, people and classes, and joins them with what that has
    resolved while the second plans the rest.
    """
    started = time.monotonic()
    with locks.locked_district(connection, run.district_id):
        with db.acting_as(connection, "roster_edit") as cursor:
            context = PlanContext.load(cursor, run.id, district)
            _refuse_where_closed(cursor, run)
        joining = ParallelStep(
            connection,
            partial(comparison.join, context=context),
            prepare=partial(comparison.sort, context=context),
            workers=1,
        )
        with joining:
            with db.acting_as(connection, "roster_edit") as cursor:
                db.tune(cursor)
                comparison.resolve(cursor, context)
            joining.proceed()
            with db.acting_as(connection, "roster_edit") as cursor:
                db.tune(cursor)
                allow_idle(cursor)
                _refuse_where_closed(cursor, run)
                try:
                    compared = comparison.judge(cursor, context, joining.result)
                    log.info("compared in %.1f s", time.monotonic() - started)
                    missing = absences.still_to_ask(cursor, compared.context)
                    if missing:
                        return _Attempt(None, tuple(missing))
                    decision = decide(cursor, district, compared)
                    _close(cursor, compared, decision)
                    return _Attempt(decision)
                except SyncRefused as refused:
                    refusal = refused  # raised after the commit: the schools that were listed are kept, to be selected
    raise refusal


def _refuse_where_closed(cursor: Cursor, run: runs.RunRecord) -> None:
    """While the source was asked, no lock was held: the run may have been declared dead."""
    now = runs.record(cursor, run.id).status
    if now != run.status:
        raise SyncRefused(f"Run {run.id} was closed while it was planned ({now}), so it does nothing.", status=now)


def _close(cursor: Cursor, compared: Comparison, decision: Decision) -> None:
    """Ends a run that writes nothing; what waits of it is counted."""
    if decision.status == "apply" or decision.phases:
        return
    if decision.status == "held":
        runs.count_plan(cursor, compared.context.run_id, phases=(), seen=compared.seen)
    runs.close_as(cursor, compared.context.run_id, decision.status, decision.sentence)
