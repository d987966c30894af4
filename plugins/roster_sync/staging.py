"""Staging: a source's rows stream into PostgreSQL by COPY, become typed rows, and are checked one by one in SQL."""

from __future__ import annotations

import csv
import io
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import psycopg2
from psycopg2 import sql
from psycopg2.extras import Json

from roster_sync import db
from roster_sync.errors import DatabaseFailure, SyncRefused
from roster_sync.model import COLLECTIONS
from roster_sync.sources.base import CopyRefused, FeedReport, Source

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.districts import District

log = logging.getLogger(__name__)

BATCH: Final = 2_000
"""Rows that are turned into COPY text at a time: large enough to be fast, small enough to keep memory flat."""
DATA_ERRORS: Final = ("22", "54")
"""SQLSTATE classes that blame the bytes and not the database: bad CSV, NUL, bad UTF-8, a line too long."""


class CopySink:
    """The sink (sources.base.Sink) that puts rows into this session's temporary tables; see staging/raw.sql."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self.received = 0
        self._create()

    def _create(self) -> None:
        self._cursor.execute("set local temp_buffers = '64MB'")
        db.run(self._cursor, "staging/raw")
        self._cursor.execute("savepoint empty")

    def discard(self) -> None:
        """Forgets everything taken so far."""
        self._cursor.execute("rollback to savepoint empty")
        self._cursor.execute("savepoint empty")
        self.received = 0

    def copy_csv(self, collection: str, columns: Sequence[str | None], stream: BinaryIO) -> int:
        """Takes CSV bytes as they are; columns without a name land in a spare column that nothing reads."""
        self._cursor.execute("savepoint file")
        names = list(self._with_spares(collection, columns))
        target = sql.SQL("copy {} ({}) from stdin (format csv, force_null *)").format(
            sql.Identifier(f"raw_{collection}"), sql.SQL(", ").join(map(sql.Identifier, names))
        )
        try:
            self._cursor.copy_expert(target, stream, size=1 << 18)
        except psycopg2.Error as error:
            if (error.pgcode or "")[:2] not in DATA_ERRORS:
                raise DatabaseFailure(f"COPY of {collection}", error.pgcode) from None
            self._cursor.execute("rollback to savepoint file")
            raise CopyRefused(f"{collection}: SQLSTATE {error.pgcode}") from None
        taken = int(self._cursor.rowcount)
        self._cursor.execute("release savepoint file")
        self.received += taken
        return taken

    def _with_spares(self, collection: str, columns: Sequence[str | None]) -> Iterator[str]:
        known = set(COLLECTIONS[collection])
        for place, column in enumerate(columns):
            if column is not None and column in known:
                yield column
                continue
            spare = f"spare_{place}"
            self._cursor.execute(
                sql.SQL("alter table {} add column if not exists {} text").format(
                    sql.Identifier(f"raw_{collection}"), sql.Identifier(spare)
                )
            )
            yield spare

    def copy_rows(self, collection: str, columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> int:
        """Takes rows of text, a batch at a time."""
        target = sql.SQL("copy {} ({}) from stdin (format csv, force_null *)").format(
            sql.Identifier(f"raw_{collection}"), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        unreadable: list[dict[str, str]] = []
        stream = _RowStream(rows, list(columns), unreadable)
        try:
            self._cursor.copy_expert(target, stream, size=1 << 18)
        except psycopg2.Error as error:
            raise DatabaseFailure(f"COPY of {collection}", error.pgcode) from None
        taken = int(self._cursor.rowcount)
        for known in unreadable:
            self.reject(
                collection,
                "nul_byte",
                "A text of this row holds a NUL or another character that is none; correct it at the source.",
                source_id=known.get("source_id"),
                known=known,
            )
        self.received += taken + len(unreadable)
        return taken

    def reject(
        self,
        collection: str,
        rule: str,
        message: str,
        *,
        source_id: str | None = None,
        line: int | None = None,
        known: Mapping[str, str] | None = None,
    ) -> None:
        """Keeps a record that could not be read: it counts as seen."""
        self._cursor.execute(
            "insert into raw_rejects values (%s, %s, %s, %s, %s, %s)",
            (collection, rule, message, source_id or None, line, Json(dict(known or {}))),
        )


class _RowStream:
    """A file that COPY reads and rows flow through; remembers the ids of rows that hold a NUL or no text."""

    def __init__(
        self, rows: Iterable[Sequence[str | None]], columns: list[str], unreadable: list[dict[str, str]]
    ) -> None:
        self._rows = iter(rows)
        self._columns = columns
        self._unreadable = unreadable
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes of CSV; at most `size`."""
        while not self._left:
            batch = [row for _, row in zip(range(BATCH), self._rows, strict=False)]
            if not batch:
                return b""
            self._left = self._encode(batch)
        head, self._left = (self._left, b"") if size < 0 else (self._left[:size], self._left[size:])
        return head

    def readline(self, size: int = -1) -> bytes:
        """The same: COPY reads bytes, not lines, and psycopg2's types ask for both."""
        return self.read(size)

    def _encode(self, batch: list[Sequence[str | None]]) -> bytes:
        text = _csv(batch)
        try:
            if "\0" not in text:
                return text.encode()
        except UnicodeEncodeError:
            pass  # a lone surrogate (JSON "\ud800"): found row by row below
        return _csv([row for row in batch if self._is_text(row)]).encode()

    def _is_text(self, row: Sequence[str | None]) -> bool:
        if all(_is_storable(value) for value in row):
            return True
        pairs = zip(self._columns, row, strict=True)
        ids = {name: value for name, value in pairs if "source_id" in name and value and _is_storable(value)}
        self._unreadable.append(ids)
        return False


def _is_storable(value: str | None) -> bool:
    """Whether PostgreSQL can hold the text: no NUL, no half of a surrogate pair."""
    return value is None or ("\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value))


def _csv(rows: list[Sequence[str | None]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue()


def load(connection: Connection, run_id: int, district: District, source: Source) -> dict[str, int]:
    """Reads the source into staging and checks each row; returns counts per collection and of requests.

    Can be repeated: what an earlier try of the same run staged is dropped first.

    Raises:
        errors.SourceError: the source could not be read.
        errors.SourceNotReady: the source says that its data is pending or in error.
    """
    with db.acting_as(connection, "roster_edit") as cursor:
        cursor.execute("select staging.open_run(%s)", (run_id,))
        cursor.execute("delete from sync.findings where run_id = %s", (run_id,))
    started = time.monotonic()
    with db.acting_as(connection, "roster_edit") as cursor:
        db.tune(cursor)
        sink = CopySink(cursor)
        report = source.fetch(sink)
        seconds = time.monotonic() - started
        log.info(
            "read %s records in %.1f s (%.0f a second)", sink.received, seconds, sink.received / max(seconds, 0.001)
        )
        _normalise(cursor, run_id, district, report)
    return {name: collection.received for name, collection in report.collections.items()} | {
        "requests": report.requests
    }


def _normalise(cursor: Cursor, run_id: int, district: District, report: FeedReport) -> None:
    started = time.monotonic()
    cursor.execute("select district_id from sync.runs where id = %s", (run_id,))
    row = cursor.fetchone()
    if row is None:
        raise SyncRefused(f"Run {run_id} is not known. Start the sync again.")
    came_whole = {name for name, collection in report.collections.items() if collection.is_complete}
    params: dict[str, Any] = {
        "run_id": run_id,
        "district_id": row[0],
        "issuer": report.issuer,
        "is_partial": report.is_partial,
        **{f"{name}_complete": name in came_whole for name in ("orgs", "terms", "courses")},
    }
    for name in ("schools", "users", "terms", "classes"):
        db.run(cursor, f"staging/{name}", params)
    cursor.execute("select staging.analyze_run(%s, array['schools', 'users', 'classes'])", (run_id,))
    db.run(cursor, "staging/enrollments", params)
    db.run(cursor, "checks/row_findings", params)
    db.run(cursor, "checks/counts", params)
    proof = _proof(cursor, params, report, is_paged=district.source.kind != "oneroster_csv")
    feed = {
        "collections": {name: vars(collection) for name, collection in report.collections.items()},
        "adds_only": report.adds_only,
        "requests": report.requests,
        "event_id": report.event_id,
        "is_partial": report.is_partial,
    }
    db.run(cursor, "checks/feed", params | {"revision": report.revision, "feed": Json(feed), "proof": Json(proof)})
    log.info("typed and checked the feed in %.1f s", time.monotonic() - started)


NEEDS: Final = {
    "schools": ("orgs",), "users": ("users", "roles"), "classes": ("classes",), "enrollments": ("enrollments",),
}  # fmt: skip
"""Which collections must be whole before a missing row of a staged table means anything."""


def _proof(cursor: Cursor, params: dict[str, Any], report: FeedReport, *, is_paged: bool) -> dict[str, Any]:
    """Per staged table whether a missing row is really missing, and where not, why."""
    unreadable = db.one(cursor, "checks/unreadable", params) or {}
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
