"""Apply: writes what the plan says into the portal, in one transaction, under the district's lock, or not at all."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from psycopg2.extras import Json

from roster_sync.core.errors import DatabaseFailure, PlanStale, SyncRefused
from roster_sync.database import db
from roster_sync.engine import runs
from roster_sync.engine.planning import comparison, plan

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District

log = logging.getLogger(__name__)

STALE = ("23503", "23505")
"""SQLSTATEs by which PostgreSQL says that the portal is no longer what the plan saw: a row gone, a row come."""
TRIES = 3


def apply(connection: Connection, run_id: int, district: District) -> str:
    """Writes the plan; returns the status with which the run ends, 'launched' or 'held'.

    Where the portal changed between plan and apply, it is planned again under the lock, limits and all.

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
    raise PlanStale("People kept changing the rows that this run would write, so nothing was written. Start it again.")


def _apply(connection: Connection, run_id: int, district: District, *, is_replanned: bool) -> str:
    started = time.monotonic()
    with db.acting_as(connection, "roster_read") as cursor:
        cursor.execute("select mode from sync.runs where id = %s", (run_id,))
        mode = str((cursor.fetchone() or ["edit"])[0])
    with db.acting_as(connection, "roster_reset" if mode == "reset" else "roster_edit") as cursor:
        run = plan.run_params(cursor, run_id, district) | {"is_replanned": is_replanned}
        plan.lock(cursor, run["district_id"])
        done = runs.written_as(cursor, run_id)
        if done is not None:
            return done
        _refuse_where_overtaken(cursor, run)
        if is_replanned:
            plan.decide(cursor, run, district, comparison.compare(cursor, run))
        if mode == "reset":
            db.run(cursor, "reset/lock", run)
        phases, message = _planned(cursor, run)
        status = "launched" if phases == plan.ALL_PHASES else "held"
        try:
            _write(cursor, run | {"phases": list(phases)})
        except DatabaseFailure as failure:
            if failure.sqlstate in STALE:
                raise PlanStale("The portal changed between plan and apply.") from None
            raise
        _close(cursor, run, phases, status, message)
    log.info("run %s: written in %.1f s, %s", run_id, time.monotonic() - started, status)
    return status


def _refuse_where_overtaken(cursor: Cursor, run: dict[str, Any]) -> None:
    """The task of a failed run may be cleared days later: then its plan is older than what the portal holds."""
    later = db.one(cursor, "runs/later_run", run)
    if later is not None:
        raise SyncRefused(
            f"A later run ({later['id']}) has taken this one's place, so this one writes nothing. Start a new sync."
        )


def _planned(cursor: Cursor, run: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    """The phases that the plan allows, if the portal still is what the plan saw."""
    comparison.find_freed(cursor, run)
    found = db.one(cursor, "plan/fits", run) or {}
    if not found["fits"]:
        raise PlanStale("The portal changed between plan and apply.")
    run["sizes"] = {"seen": found["seen"]}
    return tuple(found["phases"]), str(found["sentence"])


def _write(cursor: Cursor, run: dict[str, Any]) -> None:
    if not run["phases"]:
        return
    db.tune(cursor)
    if run["mode"] == "reset":
        db.run(cursor, "runs/audit_before", run)
    db.run(cursor, "apply/selection", run | {"follow": True})
    for name in ("schools", "users", "classes", "memberships", "enrollments", "worklist"):
        db.run(cursor, f"apply/{name}", run)
    _hold_references(cursor, run)
    if run["mode"] == "reset":
        db.run(cursor, "reset/images", run)
        db.run(cursor, "reset/delete", run)
        db.run(cursor, "runs/audit_after", run)
    db.run(cursor, "apply/counts", run | {"seen": Json(run["sizes"]["seen"])})


def _hold_references(cursor: Cursor, run: dict[str, Any]) -> None:
    """What new enrollments and memberships name is there, and stays until the commit, as by a foreign key."""
    cursor.execute("select pg_current_xact_id()::text")
    named = run | {"mine": (cursor.fetchone() or [""])[0]}
    found = db.one(cursor, "apply/references", named) or {}
    if found["older"]:
        db.run(cursor, "apply/hold_references", named)
        found = db.one(cursor, "apply/references", named) or {}
    if found["missing"]:
        raise PlanStale("Somebody deleted what new enrollments name, between plan and apply.")


def _close(cursor: Cursor, run: dict[str, Any], phases: tuple[str, ...], status: str, message: str) -> None:
    db.run(cursor, "apply/close", run | {"phases": list(phases), "status": status})
    db.run(cursor, "apply/event_cursor", run | {"phases": list(phases)})
    runs.close_as(cursor, run["run_id"], status, message or None)
