"""Staging: a source's rows stream into PostgreSQL by COPY, become typed rows, and are checked one by one in SQL."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from psycopg2 import sql
from psycopg2.extras import Json

from roster_sync.core import source_kinds
from roster_sync.core.errors import SyncRefused
from roster_sync.database import db
from roster_sync.database.parallel import ParallelStep, allow_idle
from roster_sync.feed.copy_sink import CopySink, close_raw, show
from roster_sync.sources.base import FeedReport, Source

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District

log = logging.getLogger(__name__)


def load(connection: Connection, run_id: int, district: District, source: Source) -> dict[str, int]:
    """Reads the source into staging and checks each row; returns counts per collection and of requests.

    Can be repeated: what an earlier try of the same run staged is dropped first.

    Raises:
        errors.SourceError: the source could not be read.
        errors.SourceNotReady: the source says that its data is pending or in error.
    """
    with db.acting_as(connection, "roster_edit") as cursor:
        cursor.execute("select staging.open_run(%s), staging.open_raw(%s)", (run_id, run_id))
        cursor.execute("delete from sync.findings where run_id = %s", (run_id,))
    try:
        with db.acting_as(connection, "roster_edit") as cursor:
            report, params = _read(cursor, run_id, source)
        _check(connection, params, report, district)
    except BaseException:
        with db.acting_as(connection, "roster_edit") as cursor:
            close_raw(cursor, run_id)
        raise
    return {name: collection.received for name, collection in report.collections.items()} | {
        "requests": report.requests
    }


def _read(cursor: Cursor, run_id: int, source: Source) -> tuple[FeedReport, dict[str, Any]]:
    """Reads the source and types all but enrollments; returns what it said and what the SQL of the checks binds."""
    db.tune(cursor)
    started = time.monotonic()
    sink = CopySink(cursor, run_id, lambda report: _type_all_but_enrollments(cursor, _params(cursor, run_id, report)))
    report = source.fetch(sink)
    seconds = time.monotonic() - started
    log.info("read %s records in %.1f s (%.0f a second)", sink.received, seconds, sink.received / max(seconds, 0.001))
    sink.others_are_in(report)
    return report, _params(cursor, run_id, report)


def _check(connection: Connection, params: dict[str, Any], report: FeedReport, district: District) -> None:
    """The row checks, the counts, and what the feed proves; a second connection takes the enrollments meanwhile."""
    started = time.monotonic()
    taking = ParallelStep(connection, lambda second: db.run(second, "staging/stage_enrollments", params))
    with taking, db.acting_as(connection, "roster_edit") as cursor:
        db.tune(cursor)
        allow_idle(cursor)
        db.run(cursor, "checks/row_findings", params)
        db.run(cursor, "checks/user_counts", params)
        taking.result()
        show(cursor, params["run_id"], "enrollments")
        db.run(cursor, "staging/enrollments", params)
        db.run(cursor, "checks/enrollment_findings", params)
        db.run(cursor, "checks/counts", params)
        _keep(cursor, params, report, district)
        close_raw(cursor, params["run_id"])
    log.info("checked in %.1f s", time.monotonic() - started)


def _params(cursor: Cursor, run_id: int, report: FeedReport) -> dict[str, Any]:
    """What the SQL of staging and row checks binds."""
    run = db.one(cursor, "runs/record", {"run_id": run_id})
    if run is None:
        raise SyncRefused(f"Run {run_id} is not known. Start the sync again.")
    came_whole = {name for name, collection in report.collections.items() if collection.is_complete}
    came_whole -= {unread["collection"] for unread in db.rows(cursor, "staging/unread_values")}
    return {
        "run_id": run_id,
        "district_id": run["district_id"],
        "issuer": report.issuer,
        "is_partial": report.is_partial,
        **{f"{name}_complete": name in came_whole for name in ("orgs", "terms", "courses", "classes", "users")},
    }


def _type_all_but_enrollments(cursor: Cursor, params: dict[str, Any]) -> None:
    # people last: workers take part in them, and can when the enrollments, which still come, leave them a processor
    for name in ("schools", "terms", "classes", "users"):
        db.run(cursor, f"staging/{name}", params)


def _keep(cursor: Cursor, params: dict[str, Any], report: FeedReport, district: District) -> None:
    """What the feed said of itself and what it proves, kept with the run."""
    proof = _proof(cursor, params, report, is_paged=source_kinds.find(district.source.kind).is_paged)
    feed = {
        "collections": {name: vars(collection) for name, collection in report.collections.items()},
        "adds_only": report.adds_only,
        "requests": report.requests,
        "event_id": report.event_id,
        "is_partial": report.is_partial,
    }
    db.run(cursor, "checks/feed", params | {"revision": report.revision, "feed": Json(feed), "proof": Json(proof)})


NEEDS: Final = {
    "schools": ("orgs",), "users": ("users", "roles"), "classes": ("classes",), "enrollments": ("enrollments",),
}  # fmt: skip
"""Which collections must be whole before a missing row of a staged table means anything."""


def _proof(cursor: Cursor, params: dict[str, Any], report: FeedReport, *, is_paged: bool) -> dict[str, Any]:
    """Per staged table whether a missing row is really missing, and where not, why."""
    unreadable = db.exactly_one(cursor, "checks/unreadable", params)
    reasons: dict[str, str] = {}
    for table, collections in NEEDS.items():
        reason = report.adds_only or _why_incomplete(report, collections)
        if not reason and unreadable.get(table):
            reason = f"{unreadable[table]} records could not be read, so nobody can tell whom they mean."
        if not reason and is_paged and _has_repeated_ids(cursor, collections[0]):
            reason = "An id came twice, so another one may have been skipped."
        if reason:
            reasons[table] = reason
    return {table: table not in reasons for table in NEEDS} | {"reasons": reasons, "adds_only": report.adds_only}


def _why_incomplete(report: FeedReport, collections: Sequence[str]) -> str:
    for name in collections:
        collection = report.collections.get(name)
        if collection is None:
            if name != "roles":
                return f"The collection {name} was not shared."
        elif not collection.is_complete:
            return collection.reason or f"The collection {name} did not come whole."
    return ""


def _has_repeated_ids(cursor: Cursor, collection: str) -> bool:
    cursor.execute(
        sql.SQL("select exists (select from {} where source_id <> '' group by source_id having count(*) > 1)").format(
            sql.Identifier(f"raw_{collection}")
        )
    )
    row = cursor.fetchone()
    return bool(row and row[0])
