"""Apply: writes what the plan says into the portal, in one transaction, under the district's lock, or not at all."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roster_sync.core.errors import DatabaseFailure, PlanStale, SyncRefused
from roster_sync.database import db
from roster_sync.engine import runs
from roster_sync.engine.locks import lock_district
from roster_sync.engine.planning import comparison
from roster_sync.engine.planning.context import PlanContext
from roster_sync.engine.planning.decision import ALL_PHASES, decide

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District

log = logging.getLogger(__name__)

STALE = ("23503", "23505")
"""SQLSTATEs by which PostgreSQL says that the portal is not what the plan saw: a row is gone, or was added."""
TRIES = 3


@dataclass(frozen=True)
class ApprovedPlan:
    """What of a plan may be written now, as plan/fits.sql finds it in sync.runs.plan."""

    fits: bool
    """Whether the portal still is what the plan saw."""
    phases: tuple[str, ...]
    """Which of adds, updates, removals are written."""
    seen: dict[str, int]
    """By counted entity, how many rows of the feed the plan looked at."""
    sentence: str
    """Why the rest waits; empty where all is written."""

    @property
    def status(self) -> str:
        """How the run ends."""
        return "launched" if self.phases == ALL_PHASES else "held"


def apply(connection: Connection, run_id: int, district: District) -> str:
    """Writes the plan; returns the status with which the run ends, 'launched' or 'held'.

    Where the portal changed between plan and apply, it is planned again under the lock, limits and all.

    Args:
        connection: to the portal's database.
        run_id: a run whose plan may be written.
        district: whose run it is.

    Raises:
        errors.SyncRefused: the run was closed meanwhile, as its Airflow run counted as dead, or a later one has taken
            its place; it writes nothing.
        errors.PlanStale: the portal changed each time that it was planned.
    """
    for attempt in range(TRIES):
        try:
            return _apply(connection, run_id, district, is_replanned=attempt > 0)
        except PlanStale:
            log.info("run %s: the portal changed since the plan; planning again under the lock", run_id)
    raise PlanStale(
        "People kept changing the rows that this run would write, so nothing was written. Start the sync again."
    )


def _apply(connection: Connection, run_id: int, district: District, *, is_replanned: bool) -> str:
    started = time.monotonic()
    with db.acting_as(connection, "roster_read") as cursor:
        is_reset = runs.record(cursor, run_id).mode == "reset"
    with db.acting_as(connection, "roster_reset" if is_reset else "roster_edit") as cursor:
        context = PlanContext.load(cursor, run_id, district)
        lock_district(cursor, context.district_id)
        done = runs.written_as(cursor, run_id)
        if done is not None:
            return done
        _refuse_where_overtaken(cursor, run_id)
        if is_replanned:
            compared = comparison.compare(cursor, context)
            decide(cursor, district, compared)
            context = compared.context
        if is_reset:
            db.run(cursor, "reset/lock", context.binds())
        plan = _approved(cursor, context, is_replanned=is_replanned)
        try:
            _write(cursor, context, plan)
        except DatabaseFailure as failure:
            if failure.sqlstate in STALE:
                raise PlanStale("The portal changed between plan and apply.") from None
            raise
        _close(cursor, run_id, plan)
    log.info("run %s: written in %.1f s, %s", run_id, time.monotonic() - started, plan.status)
    return plan.status


def _refuse_where_overtaken(cursor: Cursor, run_id: int) -> None:
    """The task of a failed run may be cleared days later: then its plan is older than what the portal holds."""
    later = db.one(cursor, "runs/later_run", {"run_id": run_id})
    if later is not None:
        raise SyncRefused(
            f"A later run ({later['id']}) replaced this one, so this one writes nothing. Start a new sync."
        )


def _approved(cursor: Cursor, context: PlanContext, *, is_replanned: bool) -> ApprovedPlan:
    """What may be written, if the portal still is what the plan saw."""
    digest = comparison.find_to_free(cursor, context)
    binds = {"run_id": context.run_id, "to_free_digest": digest, "is_replanned": is_replanned}
    found = db.exactly_one(cursor, "plan/fits", binds)
    plan = ApprovedPlan(**found | {"phases": tuple(found["phases"])})
    if not plan.fits:
        raise PlanStale("The portal changed between plan and apply.")
    return plan


def _write(cursor: Cursor, context: PlanContext, plan: ApprovedPlan) -> None:
    if not plan.phases:
        return
    db.tune(cursor)
    binds = context.binds(phases=list(plan.phases))
    if context.is_reset:
        db.run(cursor, "runs/audit_before", binds)
    db.run(cursor, "apply/selection", binds | {"follow": True})
    for name in ("schools", "users", "classes", "memberships", "enrollments", "worklist"):
        db.run(cursor, f"apply/{name}", binds)
    _hold_references(cursor, binds)
    if context.is_reset:
        db.run(cursor, "reset/images", binds)
        db.run(cursor, "reset/delete", binds)
        db.run(cursor, "runs/audit_after", binds)
    runs.count_plan(cursor, context.run_id, phases=plan.phases, seen=plan.seen)


def _hold_references(cursor: Cursor, binds: dict[str, Any]) -> None:
    """What new enrollments and memberships name is there, and stays until the commit, as by a foreign key."""
    binds = binds | db.exactly_one(cursor, "apply/transaction")
    found = db.exactly_one(cursor, "apply/references", binds)
    if found["older"]:
        db.run(cursor, "apply/hold_references", binds)
        found = db.exactly_one(cursor, "apply/references", binds)
    if found["missing"]:
        raise PlanStale("Someone deleted rows that new enrollments refer to, between plan and apply.")


def _close(cursor: Cursor, run_id: int, plan: ApprovedPlan) -> None:
    binds = {"run_id": run_id, "phases": list(plan.phases), "status": plan.status}
    db.run(cursor, "apply/close", binds)
    db.run(cursor, "apply/event_cursor", binds)
    runs.close_as(cursor, run_id, plan.status, plan.sentence or None)
