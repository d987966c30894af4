"""Lists whose rows were deleted after their keep-by date: they say so, never that nothing was there."""

from __future__ import annotations

from typing import Any, Final

from fastapi import HTTPException
from psycopg2.extensions import cursor as Cursor

from roster_sync.core.text import plural
from roster_sync.database import db
from roster_sync.engine.housekeeping import Settings
from roster_sync.ui.views import changes

_FOUND: Final = {"error": "rejected rows", "warning": "warnings", "info": "notes"}


def why_no_changes(run: dict[str, Any], counts: dict[str, dict[str, Any]], query: changes.Query) -> str:
    """Why a list without rows has none although the run counted some; empty where it counted none, or one is sought."""
    if query.search.strip() or query.after or not counts.get(query.kind, {}).get(query.what):
        return ""
    settings = Settings.from_environment()
    if query.what == "held":
        return _expired("rows on hold", settings.staging_days)
    if changes.is_planned(run):
        return _expired("previewed changes", settings.staging_days)
    if query.what == "added" and run["mode"] != "undo":  # listed from the portal itself
        return "What this run added is no longer in the portal. A later Reset or Undo removed it."
    return _expired("changes", settings.undo_days)


def why_no_findings(cursor: Cursor, run: dict[str, Any], rules: list[dict[str, Any]], severity: str) -> str:
    """The same of findings. Only rejected rows are counted for good; for warnings and notes the run's age decides."""
    if rules:
        return ""
    days = Settings.from_environment().findings_days
    if severity == "error":
        had_any = any(row["rejected"] for row in db.rows(cursor, "ui/run_counts", {"run": run["id"]}))
    else:
        had_any = run["age_days"] > days
    return _expired(_FOUND[severity], days) if had_any else ""


def refuse_expired_changes(cursor: Cursor, run: dict[str, Any], query: changes.Query) -> None:
    """For a program or a file, where an empty list would mean that nothing was there.

    Raises:
        HTTPException: 410, with the sentence of the page.
    """
    _refuse(why_no_changes(run, changes.counts_of(cursor, run), query))


def refuse_expired_findings(cursor: Cursor, run: dict[str, Any], severity: str) -> None:
    """The same of findings.

    Raises:
        HTTPException: 410, with the sentence of the page.
    """
    _refuse(why_no_findings(cursor, run, db.rows(cursor, "ui/run_rules", {"run": run["id"]}), severity))


def _refuse(why: str) -> None:
    if why:
        raise HTTPException(410, why)


def _expired(what: str, days: int) -> str:
    return f"The list of {what} is kept for {plural(days, 'day')} and has been deleted."
