"""Work on a second connection, in a transaction of its own, beside what the first one does."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Generic, TypeVar

from roster_sync import db

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor


T = TypeVar("T")


class Beside(Generic[T]):
    """Half of a task's work, for as long as the block lasts. It sees what is committed when it begins."""

    def __init__(self, connection: Connection, work: Callable[[Cursor], T], *, workers: int | None = None) -> None:
        """Begins at once.

        Args:
            connection: the first connection; the second one logs in as it does.
            work: what is done, as roster_edit.
            workers: how many of PostgreSQL's help it at most; without it, as many as the server allows.
        """
        self._connection = connection
        self._work = work
        self._workers = workers
        self._pool = ThreadPoolExecutor(1, "roster-beside")
        self._working = self._pool.submit(self._do)

    def __enter__(self) -> Beside[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def wait(self) -> T:
        """What came of it, when it is done and committed; an error is raised here."""
        return self._working.result()

    def _do(self) -> T:
        with closing(db.sibling(self._connection)) as second, db.acting_as(second, "roster_edit") as cursor:
            db.tune(cursor)
            if self._workers is not None:
                cursor.execute("set local max_parallel_workers_per_gather = %s", (self._workers,))
            return self._work(cursor)


def may_wait(cursor: Cursor) -> None:
    """Lets the transaction at work be idle for as long as the second connection needs."""
    cursor.execute("set local idle_in_transaction_session_timeout = 0")
