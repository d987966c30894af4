"""Lists that are empty because their rows are past their keep-by date: they say so, never that nothing was there."""

from __future__ import annotations

from typing import Any, Final

from fastapi import HTTPException
from psycopg2.extensions import cursor as Cursor

from roster_sync.database import db
from roster_sync.engine.housekeeping import Settings
from roster_sync.ui.views import changes
from roster_sync.ui.views.render import plural

_FOUND: Final = {"error": "rejected", "warning": "warned of", "info": "noted"}


def why_no_changes(run: dict[str, Any], counts: dict[str, dict[str, Any]], query: changes.Query) -> str:
    """Why a list without rows has none although the run counted some; empty where it counted none, or one is sought."""
    if query.search.strip() or query.after or not counts.get(query.kind, {}).get(query.what):
        return ""
    settings = Settings.from_environment()
    if query.what == "held":
        return _gone("put on hold", settings.staging_days)
    if changes.is_planned(run):
        return _gone("would have changed", settings.staging_days)
    if query.what == "added" and run["mode"] != "undo":  # listed from the portal itself
        return "What this run added is no longer in the portal: a later Reset or an undo took it out."
    return _gone("changed", settings.undo_days)


def why_no_findings(cursor: Cursor, run: dict[str, Any], rules: list[dict[str, Any]], severity: str) -> str:
    """The same of what the rules found. Only rejections are counted for ever; of warnings and notes the age tells."""
    if rules:
        return ""
    days = Settings.from_environment().findings_days
    if severity == "error":
        had_any = any(row["rejected"] for row in db.rows(cursor, "ui/run_counts", {"run": run["id"]}))
    else:
        had_any = run["age_days"] > days
    return _gone(_FOUND[severity], days) if had_any else ""


def refuse_gone_changes(cursor: Cursor, run: dict[str, Any], query: changes.Query) -> None:
    """For a program or a file, to which an empty list would mean that nothing was there.

    Raises:
        HTTPException: 410, with the sentence of the page.
    """
    _refuse(why_no_changes(run, changes.counts_of(cursor, run), query))


def refuse_gone_findings(cursor: Cursor, run: dict[str, Any], severity: str) -> None:
    """The same of what the rules found.

    Raises:
        HTTPException: 410, with the sentence of the page.
    """
    _refuse(why_no_findings(cursor, run, db.rows(cursor, "ui/run_rules", {"run": run["id"]}), severity))


def _refuse(why: str) -> None:
    if why:
        raise HTTPException(410, why)


def _gone(what: str, days: int) -> str:
    return f"What this run {what} is no longer kept ({plural(days, 'day')})."
