"""Holds: the question that a run leaves for a person, the answer, and what it lets go."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from psycopg2.extras import Json

from roster_sync.config import environment
from roster_sync.core.errors import SyncRefused
from roster_sync.core.links import Links
from roster_sync.database import db
from roster_sync.engine import plan_text

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

log = logging.getLogger(__name__)

HOURS: Final = 24
WITHIN_AIRFLOW: Final = Links("")
"""Addresses without a host, where nobody says which."""


def hours() -> float:
    """How long a question waits for a person: ROSTER_APPROVAL_HOURS.

    Raises:
        errors.ConfigError: it is not a number above 0.
    """
    return environment.number("ROSTER_APPROVAL_HOURS", HOURS)


@dataclass(frozen=True)
class Question:
    """What is asked, in words that Airflow may keep: numbers and names of schools, never of people."""

    subject: str
    body: str
    due_at: datetime


def ask(cursor: Cursor, run_id: int, *, scope: str, plan: dict[str, Any], digest: str) -> None:
    """Leaves the question with the run; it replaces the question of an earlier try of the same run.

    Args:
        cursor: the transaction in which the plan was made.
        run_id: the run that is held.
        scope: what waits: removals | updates | everything | reset.
        plan: what people are shown of it, as sync.runs.plan keeps it.
        digest: one word for the rows that are asked about.
    """
    binds = {"run_id": run_id, "scope": scope, "summary": Json(plan), "digest": digest, "hours": hours()}
    db.run(cursor, "plan/ask", binds)


def approved(cursor: Cursor, run_id: int) -> int | None:
    """The id of the run's approved question that was not carried out yet, or None."""
    found = db.one(cursor, "runs/approved_hold", {"run_id": run_id})
    return found["id"] if found else None


def question_run(key: str, run_id: int, asked_at: datetime) -> str:
    """Airflow's id of the run of roster_approve in which a question waits.

    With its time: a portal that was set up anew counts its runs from 1 again, Airflow still knows the old names.
    """
    return f"{key}__run_{run_id}__question_{asked_at.astimezone(timezone.utc):%Y%m%dT%H%M%S%f}"


def question(
    connection: Connection, run_id: int, links: Links = WITHIN_AIRFLOW, hold_id: int | None = None
) -> Question:
    """An open question of a run, with the way to the run's page.

    Args:
        connection: to the portal's database.
        run_id: the held run.
        links: addresses of the pages.
        hold_id: the question; None for the one that is open.

    Raises:
        errors.SyncRefused: the run waits for nothing, or something else has taken its place.
    """
    with db.acting_as(connection, "roster_read") as cursor:
        found = db.one(cursor, "runs/question", {"run_id": run_id, "hold_id": hold_id})
    if found is None:
        raise SyncRefused(f"Run {run_id} is not waiting for an answer. Nothing was changed.", status="held")
    mode = {"edit": "Edit", "reset": "Reset"}.get(found["mode"], found["mode"])
    return Question(
        subject=f"{found['district']}: {mode} on hold (run {run_id})",
        body=plan_text.question(found, links.run(run_id)),
        due_at=found["due_at"],
    )


def record_answer(
    connection: Connection,
    run_id: int,
    answer: str,
    answered_by: str | None,
    reason: str | None = None,
    *,
    answered_at: datetime | None = None,
    hold_id: int | None = None,
) -> bool:
    """Keeps an answer: 'approved', 'rejected' or 'timed_out'. Only a named person approves or rejects.

    Args:
        connection: to the portal's database.
        run_id: the held run.
        answer: approved | rejected | timed_out.
        answered_by: the person; None where the time was up.
        reason: what the person typed.
        answered_at: when the person answered; without it, now.
        hold_id: the question that was answered; None for the one that is open.

    Returns:
        False where it came too late (superseded, replaced, answered already, the time was up): it changes nothing.

    Raises:
        errors.SyncRefused: approved or rejected by nobody.
    """
    if answer not in ("approved", "rejected", "timed_out"):
        raise ValueError(f"no such answer: {answer}")
    if answer != "timed_out" and not answered_by:
        raise SyncRefused("An answer needs a person's name. Nothing was changed.", status="held")
    with db.acting_as(connection, "roster_edit") as cursor:
        given = {"answer": answer, "answered_by": answered_by, "reason": reason, "answered_at": answered_at}
        kept = db.one(cursor, "plan/answer", {"run_id": run_id, "hold_id": hold_id, **given})
        is_kept = kept is not None and kept["answer"] == answer
        if is_kept and answer == "rejected":
            db.run(cursor, "runs/reject", {"run_id": run_id})
    log.info("run %s: answer %s%s", run_id, answer, "" if is_kept else " (too late, changes nothing)")
    return is_kept
