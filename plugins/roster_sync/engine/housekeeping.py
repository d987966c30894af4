"""Housekeeping: drops what is past its keep-by date, closes runs that died, and says how much."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from roster_sync.config.environment import days, number
from roster_sync.core.errors import DatabaseFailure
from roster_sync.database import db
from roster_sync.engine import runs, undo

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

log = logging.getLogger(__name__)

LOCK_NOT_AVAILABLE: Final = "55P03"


@dataclass(frozen=True)
class Settings:
    """How long what is kept; each can be set by an environment variable."""

    staging_days: int = 3
    """ROSTER_KEEP_STAGING_DAYS: a run's feed and plan."""
    findings_days: int = 30
    """ROSTER_KEEP_FINDINGS_DAYS."""
    undo_days: int = undo.DAYS
    """ROSTER_UNDO_DAYS: rows that a run removed or changed, and so how long it can be undone."""
    run_hours: float = 24
    """ROSTER_LONGEST_RUN_HOURS: a run that is at work for longer has died."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """The settings of this process.

        Raises:
            errors.ConfigError: one of them is not a number above 0, or not a whole number of days.
        """
        return cls(
            staging_days=days("ROSTER_KEEP_STAGING_DAYS", cls.staging_days, environment),
            findings_days=days("ROSTER_KEEP_FINDINGS_DAYS", cls.findings_days, environment),
            undo_days=undo.days(environment),
            run_hours=number("ROSTER_LONGEST_RUN_HOURS", cls.run_hours, environment),
        )


def purge(
    connection: Connection,
    settings: Settings | None = None,
    *,
    is_alive: Callable[[str, str], bool | None] | None = None,
) -> dict[str, int]:
    """Drops what is past its keep-by date, a run at a time, and closes runs that died; returns how much.

    Can be repeated at any time; what runs at work hold is left to the next purge.

    Args:
        connection: to the portal's database.
        settings: how long what is kept; without them, those of the environment.
        is_alive: says of an Airflow run (DAG id, run id) whether it is at work, None where nobody can say. A run is
            dead as soon as Airflow says so, else when it is older than any run may be.
    """
    settings = settings or Settings.from_environment()
    counts = {"runs_closed": _close_dead(connection, settings.run_hours, is_alive)}
    counts |= _drop_staging(connection, settings.staging_days)
    counts["findings"] = _delete(connection, "findings", settings.findings_days)
    counts["images"] = _delete(connection, "images", settings.undo_days)
    with db.acting_as(connection, "roster_edit") as cursor:
        counts["held_rows"] = db.run(cursor, "housekeeping/held_rows")
    log.info("purged: %s", ", ".join(f"{name} {count}" for name, count in counts.items()))
    return counts


def _close_dead(connection: Connection, hours: float, is_alive: Callable[[str, str], bool | None] | None) -> int:
    with db.acting_as(connection, "roster_read") as cursor:
        found = db.rows(cursor, "housekeeping/at_work", {"hours": hours})
    closed = 0
    for run in found:
        state = is_alive(run["airflow_dag_id"], run["airflow_run_id"]) if is_alive and run["airflow_run_id"] else None
        if state is False or (state is None and run["is_overdue"]):
            message = "The run was cut off: its Airflow run is no longer alive."
            closed += runs.fail_if_open(connection, run["run_id"], message)
    return closed


def _drop_staging(connection: Connection, days: int) -> dict[str, int]:
    dropped = left = 0
    for run_id in _runs(connection, "staged_runs", days):
        try:
            with db.acting_as(connection, "roster_edit") as cursor:
                db.run(cursor, "housekeeping/drop_staging", {"run_id": run_id})
        except DatabaseFailure as failure:
            if failure.sqlstate != LOCK_NOT_AVAILABLE:
                raise
            log.info("the staged feed of run %s is read at this moment; it is left to the next purge", run_id)
            left += 1
        else:
            dropped += 1
    return {"staged_runs": dropped, "staged_runs_left": left}


def _delete(connection: Connection, what: str, days: int) -> int:
    deleted = 0
    for run_id in _runs(connection, f"runs_with_{what}", days):
        with db.acting_as(connection, "roster_edit") as cursor:
            deleted += db.run(cursor, f"housekeeping/{what}", {"run_id": run_id})
    return deleted


def _runs(connection: Connection, name: str, days: int) -> list[int]:
    with db.acting_as(connection, "roster_read") as cursor:
        return [int(row["run_id"]) for row in db.rows(cursor, f"housekeeping/{name}", {"days": days})]
