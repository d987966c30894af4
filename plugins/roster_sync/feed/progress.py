"""How far a reading has come: the rows taken so far, reported every other second to whoever watches the run."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import psycopg2
from psycopg2.extras import Json

from roster_sync.core.errors import DatabaseFailure
from roster_sync.database import db

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from roster_sync.sources.base import FeedReport, ProbeReport, Sink, Source

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 2.0
Tell = Callable[[Mapping[str, int]], None]


class Teller:
    """Keeps the counts of the step at work in sync.runs, on a connection of its own.

    The reading's own transaction shows nobody anything before its end. The connection is opened at the first telling,
    so a reading of less than two seconds never needs it; where it cannot be had, the reading goes on unreported.
    """

    def __init__(self, connect: Callable[[], Connection], run_id: int, step: str) -> None:
        self._connect = connect
        self._params = {"run_id": run_id, "step": step}
        self._connection: Connection | None = None
        self._is_able = True

    def __call__(self, counts: Mapping[str, int]) -> None:
        """Shows the counts."""
        if not self._is_able:
            return
        try:
            self._connection = self._connection or self._connect()
            with db.acting_as(self._connection, "roster_edit") as cursor:
                db.run(cursor, "runs/step_counts", {**self._params, "counts": Json(dict(counts))})
        except (DatabaseFailure, psycopg2.Error) as failure:  # psycopg2's own: the rollback on a connection that broke
            self._is_able = False
            log.warning("how far the reading has come is not shown: %s", type(failure).__name__)

    def close(self) -> None:
        """Closes the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()


class Watched:
    """A source whose rows are counted while they flow."""

    def __init__(
        self, source: Source, tell: Tell, clock: Callable[[], float] = time.monotonic, every: float = EVERY_SECONDS
    ) -> None:
        self._source = source
        self._tell = tell
        self._clock = clock
        self._every = every

    def probe(self) -> ProbeReport:
        """As the source itself."""
        return self._source.probe()

    def fetch(self, sink: Sink) -> FeedReport:
        """As the source itself, with what flows by counted."""
        return self._source.fetch(_Counting(sink, self._tell, self._clock, self._every))


class _Counting:
    """A sink that passes all on and tells how much it was."""

    def __init__(self, sink: Sink, tell: Tell, clock: Callable[[], float], every: float) -> None:
        self._sink = sink
        self._tell = tell
        self._clock = clock
        self._every = every
        self._last = clock()
        self._counts: dict[str, int] = {}
        self._telling = threading.Lock()

    def copy_csv(self, collection: str, columns: Sequence[str | None], stream: BinaryIO) -> int:
        before = self._counts.get(collection, 0)
        lines = _Lines(stream, lambda count: self._now(collection, before + count))
        try:
            taken = self._sink.copy_csv(collection, columns, cast(BinaryIO, lines))
        except BaseException:
            self._counts[collection] = before
            raise
        self._now(collection, before + taken)
        return taken

    def copy_rows(self, collection: str, columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> int:
        taken = self._sink.copy_rows(collection, columns, rows)
        self._now(collection, self._counts.get(collection, 0) + taken)
        return taken

    def reject(self, collection: str, rule: str, message: str, **known: Any) -> None:
        self._sink.reject(collection, rule, message, **known)

    def discard(self) -> None:
        self._sink.discard()
        self._counts.clear()

    @contextmanager
    def enrollments_sink(self) -> Iterator[Sink]:
        with self._sink.enrollments_sink() as second:
            counting = copy(self)  # shares counts and clock, with a sink of its own
            counting._sink = second
            yield counting

    def others_are_in(self, report: FeedReport) -> None:
        self._sink.others_are_in(report)

    def _now(self, collection: str, count: int) -> None:
        self._counts[collection] = count
        with self._telling:
            if self._clock() - self._last >= self._every:
                self._tell(dict(self._counts))
                self._last = self._clock()


class _Lines:
    """A file that COPY reads: its lines are counted as they pass, which is near enough to rows while it is read."""

    def __init__(self, stream: BinaryIO, tell: Callable[[int], None]) -> None:
        self._stream = stream
        self._tell = tell
        self._count = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        piece = self._stream.read(size)
        self._count += piece.count(b"\n")
        self._tell(self._count)
        return piece

    def readline(self, size: int = -1) -> bytes:
        """The same: psycopg2's types ask for both, COPY reads bytes."""
        return self.read(size)
