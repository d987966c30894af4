"""The comparison: what feed and portal differ in, as rows of staging.plan."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from roster_sync.core.errors import SyncRefused
from roster_sync.database import db

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

log = logging.getLogger(__name__)

_COUNT_PLAN: Final = (
    "select staging.analyze_run(%(run_id)s, array['plan/enrollments', 'plan/user_schools', 'plan/users', 'plan/rest'])"
)
"""The parts one by one: ANALYZE of the whole would read each a second time."""


def compare(cursor: Cursor, run: dict[str, Any]) -> dict[str, Any]:
    """Fills staging.plan within the transaction at work; returns what people are shown of it.

    Raises:
        errors.SyncRefused: nothing is shared, no school is selected, a Reset without a complete feed.
    """
    started = time.monotonic()
    db.tune(cursor)
    resolve(cursor, run)
    summary = judge(cursor, run, lambda: join(cursor, run))
    log.info("compared in %.1f s", time.monotonic() - started)
    return summary


def resolve(cursor: Cursor, run: dict[str, Any]) -> None:
    """Who and what the feed's ids stand for: staging.resolved, and temporary tables that outlive the transaction."""
    cursor.execute("discard temp")
    db.run(cursor, "plan/resolve_schools", run)
    if run["mode"] == "reset":
        db.run(cursor, "plan/still_live_schools", run)
    if run["events"]:
        db.run(cursor, "plan/events_wait", run)
    db.run(cursor, "plan/resolve_users", run)
    db.run(cursor, "plan/resolve_classes", run)


def sort(cursor: Cursor, run: dict[str, Any]) -> None:
    """Puts the enrollments of a first load in order, which needs nothing of what `resolve` finds out."""
    db.run(cursor, "plan/sort_enrollments", run)


def join(cursor: Cursor, run: dict[str, Any]) -> dict[str, Any]:
    """The join of the enrollments, half of a plan's work; returns what came of it, as binds for `judge`."""
    return db.one(cursor, "plan/join_enrollments", run) or {}


def judge(cursor: Cursor, run: dict[str, Any], joined: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Fills staging.plan from what is resolved; returns what people are shown of it.

    Args:
        cursor: the transaction at work.
        run: the binds of the plan; sizes and proofs are added to it.
        joined: comes back with what `join` says, when it is done; until then, what needs no enrollment is done.
    """
    db.run(cursor, "plan/class_view", run)
    db.run(cursor, "plan/unusual", run)
    db.run(cursor, "plan/memberships", run)
    if run["mode"] == "reset":
        db.run(cursor, "plan/still_live_users", run)
    _prove_by_size(cursor, run)
    db.run(cursor, "plan/adds", run)
    db.run(cursor, "plan/reviews", run)
    db.run(cursor, "plan/needs_bulk", run)
    db.run(cursor, "plan/held_enrollments", run)
    run |= joined()
    db.run(cursor, "plan/enrollments", run)
    _plan_removals(cursor, run)
    cursor.execute(_COUNT_PLAN, run)
    find_freed(cursor, run)
    summary = db.one(cursor, "plan/summary", run) or {}
    run["sizes"]["seen"]["enrollments"] = summary["enrollments_seen"]
    if run["events"]:
        summary["schools_offered"] = []  # those that wait for the full read are not for people to choose
    _refuse_where_empty(cursor, run, summary)
    return summary


def find_freed(cursor: Cursor, run: dict[str, Any]) -> None:
    """Sets the licenses and books aside that would fall with the rows of staging.plan; binds their digest."""
    run["freed_digest"] = (db.one(cursor, "plan/freed", run) or {})["digest"]


def _prove_by_size(cursor: Cursor, run: dict[str, Any]) -> None:
    """No schools or no people at all is never proof; nor, in an Edit, no classes or no enrollments (between terms)."""
    sizes = db.one(cursor, "plan/sizes", run) or {}
    run["sizes"] = sizes
    if not sizes["schools"] or not sizes["users"]:
        for table in ("schools", "users", "classes", "enrollments"):
            run[f"{table}_proved"] = False
    if run["mode"] == "edit":
        run["classes_proved"] = run["classes_proved"] and sizes["classes"] > 0
        run["enrollments_proved"] = run["enrollments_proved"] and sizes["enrollments"] > 0


def _plan_removals(cursor: Cursor, run: dict[str, Any]) -> None:
    if run["mode"] == "reset":
        db.run(cursor, "plan/removals_reset", run)
    elif not (run["proof"] or {}).get("adds_only"):  # paused, kept moving, only events: nothing goes,
        db.run(cursor, "plan/removals_edit", run)  # not even what the feed itself calls gone


def _refuse_where_empty(cursor: Cursor, run: dict[str, Any], summary: dict[str, Any]) -> None:
    db.run(cursor, "apply/selection", run | {"follow": False})
    if not run["sizes"]["schools"] or not run["sizes"]["users"]:
        what = "schools" if not run["sizes"]["schools"] else "people"
        if run["mode"] == "reset":
            raise SyncRefused(
                f"No {what} came from the source, so a Reset would delete everything. Check what the district shares."
            )
        if not run["has_written_before"]:
            raise SyncRefused(
                f"Nothing is shared: no {what} came from the source. Ask the district to share its schools and people."
            )
    if run["school_mode"] == "listed" and not summary["schools_selected"]:
        if not summary["schools_chosen"]:
            raise SyncRefused("No school is selected for this district. Select at least one school, then start again.")
        if run["mode"] == "reset":
            raise SyncRefused(
                "None of the selected schools came from the source, so a Reset would delete everything. Check what the"
                " district shares, or select other schools."
            )
    if run["mode"] == "reset":
        unproved = [table for table in ("schools", "users", "classes", "enrollments") if not run[f"{table}_proved"]]
        if unproved:
            raise SyncRefused(
                "A Reset needs the whole roster, and it did not come whole: "
                + " ".join(_reasons(run, unproved))
                + " Nothing was changed. Run the Reset again when the source is complete."
            )


def _reasons(run: dict[str, Any], tables: list[str]) -> list[str]:
    proof = run["proof"] or {}
    reasons = {**(proof.get("reasons") or {}), **(proof.get("not_complete") or {})}
    return sorted({str(reasons.get(table, f"{table} are not complete.")) for table in tables})
