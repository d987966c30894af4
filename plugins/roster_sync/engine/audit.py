"""The audit of one run in words: who started, approved and undid it, by which settings, and what it removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from roster_sync.database import db

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

COUNTED: Final = ("received", "rejected", "warned", "added", "updated", "restored", "unshared", "deleted", "held")


def report(connection: Connection, run_id: int) -> list[str]:
    """The run's audit, a line each; no person of the roster is in it, so that a task may log it.

    Every removed row is in the view sync.audit_removed.
    """
    with db.acting_as(connection, "roster_read") as cursor:
        run = db.one(cursor, "runs/audit", {"run_id": run_id})
        counts = db.rows(cursor, "runs/audit_counts", {"run_id": run_id})
        removed = db.rows(cursor, "runs/audit_removed", {"run_id": run_id})
    if run is None:
        return [f"Run {run_id} is not known."]
    return [*_who(run), *map(_count, counts), *_removed(removed)]


def _who(run: dict[str, Any]) -> list[str]:
    lines = [f"{run['mode']} of {run['district']}, run {run['run_id']}: {run['status']}"]
    lines.append(f"started by {run['started_by']} at {run['started_at']:%Y-%m-%d %H:%M %Z}" + _because(run["reason"]))
    if run["parameters"]:
        lines.append("parameters: " + _pairs(run["parameters"]))
    if run["settings"]:
        lines.append("settings: " + _pairs(run["settings"]))
    if run["answer"]:
        who = f"{run['answer']} by {run['answered_by'] or 'nobody'} at {run['answered_at']:%Y-%m-%d %H:%M %Z}"
        lines.append(who + _because(run["answer_reason"]))
    if run["superseded_by_run_id"]:
        lines.append(f"its question was taken back by run {run['superseded_by_run_id']}")
    if run["undoes_run_id"]:
        lines.append(f"undoes run {run['undoes_run_id']}")
    if run["undone_by_run_id"]:
        lines.append(f"undone by {run['undone_by']} in run {run['undone_by_run_id']}" + _because(run["undone_reason"]))
    return lines


def _because(reason: str | None) -> str:
    """A typed reason may name somebody, and this goes into a log: it is read on the run's page."""
    return " (a reason is kept with the run)" if reason else ""


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(values.items()) if value is not None)


def _count(row: dict[str, Any]) -> str:
    done = ", ".join(f"{action} {row[action]}" for action in COUNTED if row[action])
    span = "" if row["before"] is None else f"{row['before']} before, {row['after']} after; "
    return f"{row['entity']}: {span}{done or 'nothing done'}"


def _removed(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    return ["removed rows: " + ", ".join(f"{row['table_name']} {row['removed']}" for row in rows)]
