"""Work on a second connection, in a transaction of its own, beside what the first one does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Generic, TypeVar

from roster_sync.database import db

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor


T = TypeVar("T")
R = TypeVar("R")


class Beside(Generic[T]):
    """Half of a task's work, for as long as the block lasts. It sees what is committed when it begins."""

    def __init__(
        self,
        connection: Connection,
        work: Callable[[Cursor], T],
        *,
        before: Callable[[Cursor], object] | None = None,
        workers: int | None = None,
    ) -> None:
        """Begins with the block.

        Args:
            connection: the first connection; the second one logs in as it does.
            work: what is done, as roster_edit.
            before: what is done first, in a transaction of its own; `work` then begins when `go_on` is called.
            workers: how many of PostgreSQL's help it at most; without it, as many as the server allows.
        """
        self._connection = connection
        self._before = before
        self._work = work
        self._workers = workers
        self._may_go_on = threading.Event()
        self._is_over = False
        self._pool = ThreadPoolExecutor(1, "roster-beside")
        self._working: Future[T] = Future()

    def __enter__(self) -> Beside[T]:
        self._working = self._pool.submit(self._do)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = not self._may_go_on.is_set()
        self._may_go_on.set()
        self._pool.shutdown()

    def go_on(self) -> None:
        """What `work` reads is committed."""
        self._may_go_on.set()

    def wait(self) -> T:
        """What came of it, when it is done and committed; an error is raised here."""
        return self._working.result()

    def _do(self) -> T:
        with closing(db.sibling(self._connection)) as second:
            if self._before is not None:
                self._transact(second, self._before)
                self._may_go_on.wait()
                if self._is_over:
                    raise CancelledError
            return self._transact(second, self._work)

    def _transact(self, second: Connection, work: Callable[[Cursor], R]) -> R:
        with db.acting_as(second, "roster_edit") as cursor:
            db.tune(cursor)
            if self._workers is not None:
                cursor.execute("set local max_parallel_workers_per_gather = %s", (self._workers,))
            return work(cursor)


def may_wait(cursor: Cursor) -> None:
    """Lets the transaction at work be idle for as long as the second connection needs."""
    cursor.execute("set local idle_in_transaction_session_timeout = 0")
