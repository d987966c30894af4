"""A run's record in sync.runs: opened once, followed step by step, closed for certain."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from psycopg2.extras import Json

from roster_sync.core.errors import DatabaseFailure, SyncRefused
from roster_sync.database import db
from roster_sync.engine.locks import lock_start

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District

log = logging.getLogger(__name__)

UNIQUE_VIOLATION: Final = "23505"


@dataclass(frozen=True)
class RunRequest:
    """Who asks for what."""

    mode: str
    """edit | reset | undo"""
    trigger: str
    """nightly | manual"""
    started_by: str
    airflow_dag_id: str
    airflow_run_id: str
    parameters: dict[str, Any] = field(default_factory=dict)
    """The parameters of the DAG run, as Airflow gives them."""
    reason: str | None = None
    undoes_run_id: int | None = None

    def binds(self) -> dict[str, Any]:
        """The request as binds of SQL."""
        return vars(self) | {"parameters": Json(self.parameters)}


@dataclass(frozen=True)
class RunRecord:
    """A row of sync.runs, as far as the engine goes by it (include/sql/runs/record.sql)."""

    id: int
    district_id: int
    mode: str
    status: str
    undoes_run_id: int | None


@dataclass(frozen=True)
class Refusal:
    """Why a run may not start."""

    status: str
    """How the refused run ends: skipped | expired | failed."""
    message: str
    is_recorded: bool = True
    """Whether sync.runs keeps a row of it; what comes again every night, or every hour, is recorded once or never."""


@dataclass(frozen=True)
class LastHold:
    """The newest question of a run, and what decides whether its answer may be carried out (runs/hold.sql)."""

    superseded_by: int | None
    """The later run that has taken the question's place."""
    answer: str | None
    answered_by: str | None
    applied_at: datetime | None
    status: str
    """The run's."""
    airflow_run_id: str | None
    is_expired: bool
    """Whether the sync of the district has expired, by the district's own clock."""


def record(cursor: Cursor, run_id: int) -> RunRecord:
    """The run's row.

    Raises:
        errors.SyncRefused: there is no such run.
    """
    found = db.one(cursor, "runs/record", {"run_id": run_id})
    if found is None:
        raise SyncRefused(f"Run {run_id} is not known. Start the sync again.")
    return RunRecord(**found)


def begin(
    connection: Connection,
    district: District,
    request: RunRequest,
    *,
    is_alive: Callable[[str, str], bool | None],
) -> int:
    """Opens the run and returns its id; a repeated call of the same Airflow run finds its own row.

    A run whose Airflow run is dead is closed as failed first. Open questions of the district are superseded.
    A run of events (the parameter `events`) gives way to whatever else there is, and leaves no record where it does.

    Args:
        connection: to the portal's database.
        district: whose run it is.
        request: who asks for what.
        is_alive: says of an Airflow run (DAG id, run id) whether it is at work; None where nobody can say.

    Raises:
        errors.SyncRefused: expired, another run at work, no school selected; recorded under that status.
    """
    with db.acting_as(connection, "roster_edit") as cursor:
        district_id = _register(cursor, district)
        lock_start(cursor, district_id)
        binds = request.binds() | {"district_id": district_id, "timezone": district.timezone}
        refusal = _close_dead(cursor, binds, is_alive) or _refusal(cursor, binds)
        if request.parameters.get("events"):
            refusal = _gives_way(cursor, district_id, refusal)
        if refusal is None:
            run_id = int(db.exactly_one(cursor, "runs/open_run", binds)["id"])
            if not request.parameters.get("preview_only"):
                db.run(cursor, "runs/supersede", {"district_id": district_id, "run_id": run_id})
        elif refusal.is_recorded:
            db.run(cursor, "runs/refused_run", binds | {"status": refusal.status, "message": refusal.message})
    if refusal is not None:
        raise SyncRefused(refusal.message, status=refusal.status)
    log.info("run %s: %s of %s, started by %s", run_id, request.mode, district.key, request.trigger)
    return run_id


def _register(cursor: Cursor, district: District) -> int:
    """The district's id in the portal; its row is made where it is missing."""
    found = db.exactly_one(cursor, "runs/district", {"key": district.key, "name": district.name})
    return int(found["id"])


def _close_dead(cursor: Cursor, binds: dict[str, Any], is_alive: Callable[[str, str], bool | None]) -> Refusal | None:
    for other in db.rows(cursor, "runs/open_elsewhere", binds):
        airflow_run_id = other["airflow_run_id"]
        if airflow_run_id is not None and is_alive(other["airflow_dag_id"], airflow_run_id) is not False:
            message = f"Another run of this district is in progress (run {other['id']}). Start again when it is done."
            return Refusal("skipped", message)
        close_as(cursor, other["id"], "failed", "The run was cut off: its Airflow run is no longer alive.")
    return None


def _refusal(cursor: Cursor, binds: dict[str, Any]) -> Refusal | None:
    if binds["mode"] == "undo":
        return None
    state = db.exactly_one(cursor, "runs/refusal", binds)
    if state["is_expired"]:
        message = (
            f"The sync of this district expired on {state['expires_on']}. Set a later expiration date to start a sync."
        )
        return Refusal("expired", message, is_recorded=not state["is_expiry_recorded"])
    if state["is_none_selected"]:
        return Refusal(
            "failed", "No school is selected for this district. Select at least one school, then start again."
        )
    return None


def _gives_way(cursor: Cursor, district_id: int, refusal: Refusal | None) -> Refusal | None:
    """Hour by hour: a record of each time would fill the history, and a question would never stay open for a day."""
    if refusal is not None:
        return Refusal("skipped", refusal.message, is_recorded=False)
    question = db.one(cursor, "runs/open_question", {"district_id": district_id})
    if question is None:
        return None
    message = f"The question of run {question['run_id']} is waiting for an answer, so the events wait too."
    return Refusal("skipped", message, is_recorded=False)


def reopen(connection: Connection, district: District, run_id: int, airflow_dag_id: str, airflow_run_id: str) -> str:
    """Takes a held run up again after its question was approved; returns its mode.

    Args:
        connection: to the portal's database.
        district: whose run it is.
        run_id: the held run.
        airflow_dag_id: the DAG that carries it out from here on.
        airflow_run_id: that DAG's run.

    Raises:
        errors.SyncRefused: no approved answer, superseded, expired, or another run at work.
    """
    with db.acting_as(connection, "roster_edit") as cursor:
        lock_start(cursor, record(cursor, run_id).district_id)
        found = db.one(cursor, "runs/hold", {"run_id": run_id, "timezone": district.timezone})
        refusal = _why_not_reopened(LastHold(**found) if found else None, airflow_run_id)
        if refusal is not None:
            raise SyncRefused(refusal, status="held")
        airflow_run = {"airflow_dag_id": airflow_dag_id, "airflow_run_id": airflow_run_id}
        try:
            return str(db.exactly_one(cursor, "runs/reopen", {"run_id": run_id, **airflow_run})["mode"])
        except DatabaseFailure as failure:
            if failure.sqlstate != UNIQUE_VIOLATION:
                raise
            raise SyncRefused(
                "Another run of this district is in progress, so the answer changes nothing. Start the sync later.",
                status="held",
            ) from None


def _why_not_reopened(hold: LastHold | None, airflow_run_id: str) -> str | None:
    if hold is None:
        return "This run is not waiting for an answer. Nothing was changed."
    if hold.airflow_run_id == airflow_run_id and hold.status == "in_progress":
        return None  # the same approval, repeated after a crash
    if hold.superseded_by is not None:
        return f"A later run ({hold.superseded_by}) replaced this question, so the answer changes nothing."
    if hold.answer != "approved" or not hold.answered_by:
        return "Nobody has approved this run. Only an answer under Required Actions approves it. Nothing was changed."
    if hold.applied_at is not None:
        return "This approval was already carried out."
    if hold.status not in ("held", "in_progress"):
        return f"This run is no longer on hold ({hold.status}). Nothing was changed."
    if hold.is_expired:
        return "The sync of this district has expired, so no approval is carried out. Set a later date first."
    return None


def undo_target(cursor: Cursor, run_id: int) -> int:
    """The run that this Undo undoes, as its first task chose.

    Raises:
        errors.SyncRefused: there is no such run, or it is not an Undo.
    """
    target = record(cursor, run_id).undoes_run_id
    if target is None:
        raise SyncRefused(f"Run {run_id} is not an Undo. Start the undo again.")
    return target


@contextmanager
def step(connection: Connection, run_id: int, name: str) -> Iterator[dict[str, int]]:
    """Marks a step of a run as at work, then as done with its counts, so that whoever watches sees it move."""
    counts: dict[str, int] = {}
    with db.acting_as(connection, "roster_edit") as cursor:
        db.run(cursor, "runs/step_begins", {"run_id": run_id, "step": name})
    yield counts
    with db.acting_as(connection, "roster_edit") as cursor:
        db.run(cursor, "runs/step_ends", {"run_id": run_id, "step": name, "counts": Json(counts)})


def written_as(cursor: Cursor, run_id: int) -> str | None:
    """None while a run may still write; the status under which it ended where a repeated task comes after it was done.

    Raises:
        errors.SyncRefused: the run ended otherwise. One that was declared dead stays dead, even if it breathes.
    """
    status = record(cursor, run_id).status
    if status == "in_progress":
        return None
    if status not in ("launched", "held", "previewed"):
        raise SyncRefused(f"Run {run_id} is no longer open ({status}), so it writes nothing.", status=status)
    log.info("run %s was carried out before: %s", run_id, status)
    return status


def close(connection: Connection, run_id: int, status: str, message: str | None = None) -> None:
    """Ends a run under a status of vocabulary.STATUSES."""
    with db.acting_as(connection, "roster_edit") as cursor:
        close_as(cursor, run_id, status, message)
    log.info("run %s ended: %s", run_id, status)


def close_as(cursor: Cursor, run_id: int, status: str, message: str | None) -> None:
    """The same within a transaction that is at work."""
    db.run(cursor, "runs/close", {"run_id": run_id, "status": status, "message": message})


def fail_if_open(connection: Connection, run_id: int, message: str) -> bool:
    """Closes a run that is still open as failed; True where it was. A run that ended well is left alone.

    Of one whose last task was cleared, only the end is done again: it ends as it had.
    """
    with db.acting_as(connection, "roster_edit") as cursor:
        closed = db.one(cursor, "runs/fail_if_open", {"run_id": run_id, "message": message})
    return closed == {"status": "failed"}


def count_plan(cursor: Cursor, run_id: int, *, phases: Sequence[str], seen: Mapping[str, int]) -> None:
    """Counts in sync.run_counts what the plan has done, or would do.

    Args:
        cursor: the transaction at work.
        run_id: whose plan.
        phases: the parts of it that are written; the rest waits.
        seen: by counted entity, how many rows of the feed the run looked at.
    """
    db.run(cursor, "apply/counts", {"run_id": run_id, "phases": list(phases), "seen": Json(dict(seen))})


def unreported(cursor: Cursor, run_id: int, district_id: int) -> list[int]:
    """Earlier runs of the district that wrote and died before they notified anybody: the next one does it for them."""
    found = db.rows(cursor, "runs/unreported", {"run_id": run_id, "district_id": district_id})
    return [int(row["id"]) for row in found]


def status_of(connection: Connection, run_id: int) -> str:
    """The run's status.

    Raises:
        errors.SyncRefused: there is no such run.
    """
    with db.acting_as(connection, "roster_read") as cursor:
        return record(cursor, run_id).status
