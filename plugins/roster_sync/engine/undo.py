"""Undo: puts back what a run removed or changed, and takes out what it added and people have not built on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from psycopg2.extras import Json

from roster_sync.config import environment
from roster_sync.core.errors import SyncRefused
from roster_sync.database import db
from roster_sync.engine import runs
from roster_sync.engine.locks import lock_district

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District

log = logging.getLogger(__name__)

DAYS: Final = 30


def days(given: Mapping[str, str] | None = None) -> int:
    """How long a Reset can be undone, and how long the rows it removed are kept: ROSTER_UNDO_DAYS.

    Raises:
        errors.ConfigError: it is not a whole number above 0.
    """
    return environment.days("ROSTER_UNDO_DAYS", DAYS, given)


def choose(connection: Connection, district: District, run_id: int | None) -> int:
    """The run to undo: the one asked for, or the district's newest that can be undone.

    Args:
        connection: to the portal's database.
        district: whose runs.
        run_id: the run asked for; None for the newest.

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
            f"Run {run_id} is not a finished run of {district.name}. Look up the run on the district's page."
        )
    raise SyncRefused(f"{district.name} has no run that can be undone.")


def undo(connection: Connection, run_id: int, district: District, target: int, *, preview_only: bool = False) -> str:
    """Undoes `target` as run `run_id`, in one transaction under the district's lock; returns the status.

    Args:
        connection: to the portal's database.
        run_id: the Undo.
        district: whose run it is.
        target: the run that is undone.
        preview_only: do the same and roll it back, so that the numbers of the preview are the real ones.

    Raises:
        errors.SyncRefused: the target can no longer be undone, or the Undo was closed meanwhile.
    """
    with db.acting_as(connection, "roster_undo") as cursor:
        district_id = runs.record(cursor, run_id).district_id
        params = {"run_id": run_id, "district_id": district_id, "target": target, "key": district.key, "days": days()}
        lock_district(cursor, district_id)
        done = runs.written_as(cursor, run_id)
        if done is not None:
            return done
        chosen = db.one(cursor, "undo/choose", params)
        if chosen is None:
            raise SyncRefused(f"Run {target} can no longer be undone: it is not a finished run of {district.name}.")
        if chosen["why_not"] is not None:
            raise SyncRefused(f"Run {target} can no longer be undone. {chosen['why_not']}")
        cursor.execute("savepoint before")
        _undo(cursor, params)
        if preview_only:
            counts = db.rows(cursor, "runs/run_counts", {"run_id": run_id})
            cursor.execute("rollback to savepoint before")
            _record_preview(cursor, params, counts)
            return "previewed"
        message = f"Run {target} was undone. The next nightly sync follows the source again."
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


def _record_preview(cursor: Cursor, params: dict[str, Any], counts: list[dict[str, Any]]) -> None:
    summary = {
        row["entity"]: {"put back": row["added"], "changed back": row["updated"], "taken out": row["deleted"]}
        for row in counts
    }
    db.run(cursor, "runs/undo_preview", params | {"plan": Json({"counts": summary, "target": params["target"]})})
    runs.close_as(
        cursor, params["run_id"], "previewed", f"A preview of undoing run {params['target']}: nothing was written."
    )
