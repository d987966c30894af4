"""Undo: puts back what a run removed or changed, and takes out what it added where nothing of people's hangs on it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from psycopg2.extras import Json

from roster_sync.config import environment
from roster_sync.core.errors import SyncRefused
from roster_sync.database import db
from roster_sync.engine import runs
from roster_sync.engine.planning import plan

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District

log = logging.getLogger(__name__)

DAYS: Final = 30


def days(given: Mapping[str, str] | None = None) -> int:
    """How long a Reset can be undone, and how long the rows it removed are kept: ROSTER_UNDO_DAYS.

    Raises:
        errors.ConfigError: it is no whole number above 0.
    """
    return environment.days("ROSTER_UNDO_DAYS", DAYS, given)


def choose(connection: Connection, district: District, run_id: int | None) -> int:
    """The run to undo: the one asked for, or the district's newest that can be undone.

    Raises:
        errors.SyncRefused: no such run, or it can no longer be undone; says why.
    """
    with db.acting_as(connection, "roster_read") as cursor:
        found = db.rows(cursor, "undo/choose", {"key": district.key, "target": run_id, "days": days()})
    for run in found:
        if run["why_not"] is None:
            return int(run["id"])
        if run_id is not None:
            raise SyncRefused(f"Run {run_id} cannot be undone. {run['why_not']}")
    if run_id is not None:
        raise SyncRefused(
            f"Run {run_id} is no finished run of {district.name}. Look up the run on the district's page."
        )
    raise SyncRefused(f"{district.name} has no run that can be undone.")


def undo(connection: Connection, run_id: int, district: District, target: int, *, preview_only: bool = False) -> str:
    """Undoes `target` as run `run_id`, in one transaction under the district's lock; returns the status.

    A preview does the same and takes it all back, so that its numbers are the real ones.
    """
    with db.acting_as(connection, "roster_undo") as cursor:
        cursor.execute("select district_id from sync.runs where id = %s", (run_id,))
        row = cursor.fetchone()
        if row is None:
            raise SyncRefused(f"Run {run_id} is not known.")
        params = {"run_id": run_id, "district_id": row[0], "target": target, "key": district.key, "days": days()}
        plan.lock(cursor, row[0])
        done = runs.written_as(cursor, run_id)
        if done is not None:
            return done
        still = db.one(cursor, "undo/choose", params)
        if still is None or still["why_not"] is not None:
            raise SyncRefused(f"Run {target} can no longer be undone. {(still or {}).get('why_not') or ''}")
        cursor.execute("savepoint before")
        _undo(cursor, params)
        if preview_only:
            counts = _counts(cursor, run_id)
            cursor.execute("rollback to savepoint before")
            _record_preview(cursor, params, counts)
            return "previewed"
        message = f"Run {target} was undone. The next nightly run follows the feed again."
        runs.close_as(cursor, run_id, "launched", message)
    log.info("run %s undid run %s", run_id, target)
    return "launched"


def _undo(cursor: Cursor, params: dict[str, Any]) -> None:
    db.tune(cursor)
    for name in (
        "runs/audit_before",
        "undo/ids",
        "undo/inserted",
        "undo/restore",
        "matching/move",
        "undo/revert",
        "undo/take_out",
        "undo/finish",
        "runs/audit_after",
    ):
        db.run(cursor, name, params)


def _counts(cursor: Cursor, run_id: int) -> list[tuple[Any, ...]]:
    cursor.execute("select entity, added, updated, deleted from sync.run_counts where run_id = %s", (run_id,))
    return list(cursor.fetchall())


def _record_preview(cursor: Cursor, params: dict[str, Any], counts: list[tuple[Any, ...]]) -> None:
    summary = {
        entity: {"put back": added, "changed back": updated, "taken out": deleted}
        for entity, added, updated, deleted in counts
    }
    cursor.execute(
        "update sync.runs set plan = %s, undoes_run_id = %s where id = %s",
        (Json({"counts": summary, "target": params["target"]}), params["target"], params["run_id"]),
    )
    runs.close_as(
        cursor, params["run_id"], "previewed", f"A preview of undoing run {params['target']}: nothing was written."
    )
