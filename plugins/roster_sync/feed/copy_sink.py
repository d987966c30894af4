"""The sink of a real run: a source's rows stream into PostgreSQL by COPY, as text, with flat memory."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

import psycopg2
from psycopg2 import sql
from psycopg2.extras import Json

from roster_sync.core.errors import DatabaseFailure
from roster_sync.core.vocabulary import COLLECTIONS
from roster_sync.database import db
from roster_sync.database.parallel import allow_idle
from roster_sync.sources.base import CopyRefused, FeedReport

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

Then = Callable[[FeedReport], None]

BATCH: Final = 2_000
"""Rows that are turned into COPY text at a time: large enough to be fast, small enough to keep memory flat."""
OF_THE_RUN: Final = ("users", "roles", "enrollments", "rejects")
"""What lands in a table of the run; everything else in a temporary one."""
DATA_ERRORS: Final = ("22", "54")
"""SQLSTATE classes that blame the bytes and not the database: bad CSV, NUL, bad UTF-8, a line too long."""


def _table_of(run_id: int, name: str) -> sql.Identifier:
    if name in OF_THE_RUN:
        return sql.Identifier("staging", f"raw_{name}_{run_id}")
    return sql.Identifier(f"raw_{name}")


def show(cursor: Cursor, run_id: int, name: str) -> None:
    """Lets SQL files read a table of the run as raw_<name>; its lock keeps an EnrollmentsSink from widening it."""
    view, table = sql.Identifier(f"raw_{name}"), _table_of(run_id, name)
    cursor.execute(sql.SQL("create or replace temporary view {} as select * from {}").format(view, table))


def close_raw(cursor: Cursor, run_id: int) -> None:
    """Drops all that the feed landed in; what it became is staged."""
    cursor.execute("discard temp")
    cursor.execute("select staging.close_raw(%s)", (run_id,))


class CopySink:
    """The sink (sources.base.Sink) of one transaction: temporary tables (staging/raw.sql) and some of the run.

    What is many goes into unlogged tables of the run (staging.open_raw), so that an EnrollmentsSink,
    which is another connection, can fill them, and parallel workers can read them.
    """

    def __init__(self, cursor: Cursor, run_id: int, then: Then = lambda _report: None) -> None:
        """Makes the temporary tables.

        Args:
            cursor: a transaction as roster_edit.
            run_id: the run; staging.open_raw was called for it, and committed where an EnrollmentsSink is to see it.
            then: does what can be done when all but the enrollments are in.
        """
        self._cursor = cursor
        self._run_id = run_id
        self._then = then
        self._others_are_in = False
        self.received = 0
        cursor.execute("set local temp_buffers = '64MB'")
        allow_idle(cursor)  # for the source: for its limits, or until a sync of its own is over
        cursor.execute("discard temp")  # what an earlier try of this session left
        db.run(cursor, "staging/raw")
        for name in ("users", "roles", "rejects"):
            show(cursor, run_id, name)
        cursor.execute("savepoint empty")

    def _table(self, name: str) -> sql.Identifier:
        return _table_of(self._run_id, name)

    def discard(self) -> None:
        """Forgets everything taken so far, and what was done with it."""
        self._cursor.execute("rollback to savepoint empty")
        self._cursor.execute("savepoint empty")
        self.received = 0
        self._others_are_in = False

    @contextmanager
    def enrollments_sink(self) -> Iterator[EnrollmentsSink]:
        """A sink for the enrollments alone, for another thread: it has a connection of its own, and begins empty."""
        with closing(db.sibling(self._cursor.connection)) as connection:
            with db.acting_as(connection, "roster_edit") as cursor:
                second = EnrollmentsSink(cursor, self._run_id)
                yield second
            self.received += second.received

    def others_are_in(self, report: FeedReport) -> None:
        """All but the enrollments are in, and `report` tells of them."""
        if not self._others_are_in:
            self._then(report)
            self._others_are_in = True

    def copy_csv(self, collection: str, columns: Sequence[str | None], stream: BinaryIO) -> int:
        """Takes CSV bytes as they are; columns without a name land in a spare column that nothing reads.

        A line of nothing but commas, as spreadsheets leave them, is not a row: it is neither kept nor counted.
        """
        self._cursor.execute("savepoint file")
        names = self._with_spares(collection, columns)
        targets = sql.SQL(", ").join(map(sql.Identifier, names))
        is_something = sql.SQL(" or ").join(sql.SQL("{} is not null").format(sql.Identifier(name)) for name in names)
        target = sql.SQL("copy {} ({}) from stdin (format csv, force_null *{}) where {}").format(
            self._table(collection), targets, self._how_to_land(collection), is_something
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

    def _how_to_land(self, _collection: str) -> sql.SQL:
        return sql.SQL("")

    def _with_spares(self, collection: str, columns: Sequence[str | None]) -> list[str]:
        """A name for each column; one that is not mapped is kept for its first byte only, as "char" reads it."""
        known = set(COLLECTIONS[collection])
        spares = (f"spare_{number}" for number in itertools.count(1))
        names = [column if column is not None and column in known else next(spares) for column in columns]
        wanted = [name for name in names if name not in known]
        if collection in OF_THE_RUN and wanted:
            self._cursor.execute(
                "select staging.add_spare_columns(%s, %s, %s)", (self._run_id, collection, len(wanted))
            )
        elif wanted:
            adds = (sql.SQL('add column if not exists {} "char"').format(sql.Identifier(name)) for name in wanted)
            self._cursor.execute(sql.SQL("alter table {} {}").format(self._table(collection), sql.SQL(", ").join(adds)))
        return names

    def copy_rows(self, collection: str, columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> int:
        """Takes rows of text, a batch at a time."""
        target = sql.SQL("copy {} ({}) from stdin (format csv, force_null *)").format(
            self._table(collection), sql.SQL(", ").join(map(sql.Identifier, columns))
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
                "A text of this row holds a NUL or another character that no text has; correct it at the source.",
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
            sql.SQL("insert into {} values (%s, %s, %s, %s, %s, %s)").format(self._table("rejects")),
            (collection, rule, message, source_id or None, line, Json(dict(known or {}))),
        )


class EnrollmentsSink(CopySink):
    """A sink that takes enrollments only, in a transaction of its own."""

    def __init__(self, cursor: Cursor, run_id: int) -> None:
        """Empties what an earlier one of the run has left: its source was discarded since."""
        self._cursor = cursor
        self._run_id = run_id
        self._then = lambda _report: None
        self._others_are_in = True
        self.received = 0
        allow_idle(cursor)  # for the source: for its limits, or until a sync of its own is over
        self._empty()
        cursor.execute(sql.SQL("delete from {} where collection = 'enrollments'").format(self._table("rejects")))
        cursor.execute("savepoint empty")

    def _empty(self) -> None:
        self._cursor.execute(sql.SQL("truncate {}").format(self._table("enrollments")))

    def _how_to_land(self, _collection: str) -> sql.SQL:
        """The first file lands frozen: else whoever reads it first writes every page once more (0.2 s)."""
        if self.received:
            return sql.SQL("")
        self._empty()  # PostgreSQL asks for it: a table emptied in this very subtransaction
        return sql.SQL(", freeze")


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
