"""A step on a second connection, in transactions of its own, in parallel with what the first connection does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Generic, TypeVar

from roster_sync.database import db

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor


T = TypeVar("T")
R = TypeVar("R")


class ParallelStep(Generic[T]):
    """Work that goes on on a second connection for as long as the `with` block lasts.

    It sees what is committed when its transaction begins, and no temporary table of the first connection.
    """

    def __init__(
        self,
        connection: Connection,
        work: Callable[[Cursor], T],
        *,
        prepare: Callable[[Cursor], object] | None = None,
        workers: int | None = None,
    ) -> None:
        """Begins with the block.

        Args:
            connection: the first connection; the second one logs in as it does.
            work: what is done, as roster_edit.
            prepare: what is done first, in a transaction of its own; `work` then begins when `proceed` is called.
            workers: how many parallel workers of PostgreSQL it may use; without it, as many as the server allows.
        """
        self._connection = connection
        self._prepare = prepare
        self._work = work
        self._workers = workers
        self._may_proceed = threading.Event()
        self._is_abandoned = False
        self._pool = ThreadPoolExecutor(1, "roster-parallel")
        self._future: Future[T] = Future()

    def __enter__(self) -> ParallelStep[T]:
        self._future = self._pool.submit(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_abandoned = not self._may_proceed.is_set()
        self._may_proceed.set()
        self._pool.shutdown()

    def proceed(self) -> None:
        """What `work` reads is committed: it may begin."""
        self._may_proceed.set()

    def result(self) -> T:
        """Waits until `work` is done and committed, and returns what it returned; its error is raised here."""
        return self._future.result()

    def _run(self) -> T:
        with closing(db.sibling(self._connection)) as second:
            if self._prepare is not None:
                self._transact(second, self._prepare)
                self._may_proceed.wait()
                if self._is_abandoned:
                    raise _AbandonedError
            return self._transact(second, self._work)

    def _transact(self, second: Connection, work: Callable[[Cursor], R]) -> R:
        with db.acting_as(second, "roster_edit") as cursor:
            db.tune(cursor)
            if self._workers is not None:
                cursor.execute("set local max_parallel_workers_per_gather = %s", (self._workers,))
            return work(cursor)


class _AbandonedError(Exception):
    """The block was left before `proceed`: nobody asks for the result, so nobody sees this."""


def allow_idle(cursor: Cursor) -> None:
    """Lets the transaction at work be idle for as long as the second connection needs."""
    cursor.execute("set local idle_in_transaction_session_timeout = 0")
