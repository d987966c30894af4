"""A run's record in sync.runs: opened once, followed step by step, closed for certain."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg2.errors
from psycopg2.extras import Json

from roster_sync.core.errors import SyncRefused
from roster_sync.database import db

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunRequest:
    """Who asks for what."""

    mode: str
    trigger: str
    started_by: str
    airflow_dag_id: str
    airflow_run_id: str
    parameters: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    undoes_run_id: int | None = None


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

    Raises:
        errors.SyncRefused: expired, another run at work, no school selected; recorded under that status.
    """
    with db.acting_as(connection, "roster_edit") as cursor:
        params = _register(cursor, district, request)
        refusal = _close_dead(cursor, params, is_alive) or _refusal(cursor, params, request.mode)
        if request.parameters.get("events"):
            refusal = _gives_way(cursor, params, refusal)
        if refusal:
            status, message, is_told = refusal
            if not is_told:
                db.run(cursor, "runs/refused_run", params | {"status": status, "message": message})
        else:
            run_id = int((db.one(cursor, "runs/open_run", params) or {})["id"])
            if not request.parameters.get("preview_only"):
                db.run(cursor, "runs/supersede", params | {"run_id": run_id})
    if refusal:
        raise SyncRefused(refusal[1], status=refusal[0])
    log.info("run %s: %s of %s, started by %s", run_id, request.mode, district.key, request.trigger)
    return run_id


def _gives_way(
    cursor: Cursor, params: dict[str, Any], refusal: tuple[str, str, bool] | None
) -> tuple[str, str, bool] | None:
    """Hour by hour: a record of each time would fill the history, and a question would never stay open for a day."""
    if refusal:
        return "skipped", refusal[1], True
    question = db.one(cursor, "runs/open_question", params)
    if question:
        return "skipped", f"The question of run {question['run_id']} waits for an answer: events wait with it.", True
    return None


def _register(cursor: Cursor, district: District, request: RunRequest) -> dict[str, Any]:
    params: dict[str, Any] = {
        "key": district.key,
        "name": district.name,
        "timezone": district.timezone,
        **vars(request),
        "parameters": Json(request.parameters),
    }
    found = db.one(cursor, "runs/district", params) or {}
    _fence(cursor, found["id"])
    return params | {"district_id": found["id"]}


def _fence(cursor: Cursor, district_id: int) -> None:
    """One run of a district begins, or goes on, at a time; an advisory lock is the shortest fence there is."""
    cursor.execute("select pg_advisory_xact_lock(hashtextextended('roster begin', %s))", (district_id,))


def _close_dead(
    cursor: Cursor, params: dict[str, Any], is_alive: Callable[[str, str], bool | None]
) -> tuple[str, str, bool] | None:
    cursor.execute(
        "select id, airflow_dag_id, airflow_run_id from sync.runs where district_id = %(district_id)s"
        " and status = 'in_progress' and (airflow_dag_id, airflow_run_id) is distinct from"
        " (%(airflow_dag_id)s, %(airflow_run_id)s)",
        params,
    )
    for run_id, dag_id, airflow_run_id in cursor.fetchall():
        if airflow_run_id is not None and is_alive(dag_id, airflow_run_id) is not False:
            return (
                "skipped",
                f"Another run of this district is at work (run {run_id}). Start again when it is done.",
                False,
            )
        close_as(cursor, run_id, "failed", "The run was cut off: its Airflow run is no longer alive.")
    return None


def _refusal(cursor: Cursor, params: dict[str, Any], mode: str) -> tuple[str, str, bool] | None:
    state = db.one(cursor, "runs/refusal", params) or {}
    if mode != "undo" and state["is_expired"]:
        message = f"The sync of this district expired on {state['expires_on']}. Set a later expiration date to go on."
        return "expired", message, bool(state["expiry_told"])
    if mode != "undo" and state["is_none_selected"]:
        return "failed", "No school is selected for this district. Select at least one school, then start again.", False
    return None


def reopen(connection: Connection, district: District, run_id: int, airflow_dag_id: str, airflow_run_id: str) -> str:
    """Takes a held run up again after its question was approved; returns its mode.

    Raises:
        errors.SyncRefused: no approved answer, superseded, expired, or another run at work.
    """
    with db.acting_as(connection, "roster_edit") as cursor:
        params: dict[str, Any] = {"run_id": run_id, "timezone": district.timezone, "key": district.key}
        cursor.execute("select district_id from sync.runs where id = %s", (run_id,))
        if (row := cursor.fetchone()) is not None:
            _fence(cursor, row[0])
        hold = db.one(cursor, "runs/hold", params)
        refusal = _why_not_reopened(hold, airflow_run_id)
        if refusal is None and hold is not None:
            try:
                cursor.execute(
                    "update sync.runs set status = 'in_progress', finished_at = null, airflow_dag_id = %s,"
                    " airflow_run_id = %s where id = %s returning mode",
                    (airflow_dag_id, airflow_run_id, run_id),
                )
            except psycopg2.errors.UniqueViolation:
                raise SyncRefused(
                    "Another run of this district is at work; the answer changes nothing. Start the sync again later.",
                    status="held",
                ) from None
            mode = str((cursor.fetchone() or ["edit"])[0])
    if refusal is not None:
        raise SyncRefused(refusal, status="held")
    return mode


def _why_not_reopened(hold: dict[str, Any] | None, airflow_run_id: str) -> str | None:
    if hold is None:
        return "This run waits for no answer. Nothing was changed."
    if hold["airflow_run_id"] == airflow_run_id and hold["status"] == "in_progress":
        return None  # the same approval, repeated after a crash
    if hold["superseded_by"] is not None:
        return f"A later run ({hold['superseded_by']}) has taken this question's place; the answer changes nothing."
    if hold["answer"] != "approved" or not hold["answered_by"]:
        return "Nobody has approved this run: only an answer in Required Actions does. Nothing was changed."
    if hold["applied_at"] is not None:
        return "This approval was carried out already."
    if hold["status"] not in ("held", "in_progress"):
        return f"This run is no longer on hold ({hold['status']}). Nothing was changed."
    if hold["is_expired"]:
        return "The sync of this district has expired; no approval is applied. Set a later expiration date first."
    return None


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
    cursor.execute("select status from sync.runs where id = %s", (run_id,))
    status = str((cursor.fetchone() or ["failed"])[0])
    if status == "in_progress":
        return None
    if status not in ("launched", "held", "previewed"):
        raise SyncRefused(f"Run {run_id} is no longer open ({status}), so it writes nothing.", status=status)
    log.info("run %s was carried out before: %s", run_id, status)
    return status


def close(connection: Connection, run_id: int, status: str, message: str | None = None) -> None:
    """Ends a run under a status of model.STATUSES."""
    with db.acting_as(connection, "roster_edit") as cursor:
        close_as(cursor, run_id, status, message)
    log.info("run %s ended: %s", run_id, status)


def close_as(cursor: Cursor, run_id: int, status: str, message: str | None) -> None:
    """The same within a transaction that is at work."""
    cursor.execute(
        "update sync.runs set status = %s, message = coalesce(%s, message),"
        " finished_at = clock_timestamp(), step = null where id = %s",
        (status, message, run_id),
    )


def fail_if_open(connection: Connection, run_id: int, message: str) -> bool:
    """Closes a run that is still open as failed; True where it was. A run that ended well is left alone.

    Of one whose last task was cleared, only the end is done again: it ends as it had.
    """
    with db.acting_as(connection, "roster_edit") as cursor:
        cursor.execute(
            "update sync.runs set status = coalesce(ended_as, 'failed'), finished_at = clock_timestamp(), step = null,"
            " message = case when ended_as is null then %s else message end"
            " where id = %s and status = 'in_progress' returning status",
            (message, run_id),
        )
        return cursor.fetchone() == ("failed",)


def untold(cursor: Cursor, run_id: int, district_id: int) -> list[int]:
    """Earlier runs of the district that wrote and then died before anybody was told: the next one does it for them."""
    found = db.rows(cursor, "runs/untold", {"run_id": run_id, "district_id": district_id})
    return [int(row["id"]) for row in found]


def status_of(connection: Connection, run_id: int) -> str:
    """The run's status."""
    with db.acting_as(connection, "roster_read") as cursor:
        cursor.execute("select status from sync.runs where id = %s", (run_id,))
        row = cursor.fetchone()
    if row is None:
        raise SyncRefused(f"Run {run_id} is not known.")
    return str(row[0])
