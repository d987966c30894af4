"""Connections of the pages to the portal's database: a few per process, one role per transaction."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from roster_sync.core.errors import DatabaseFailure, RosterError
from roster_sync.database import db

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

SIZE: Final = 8
WAIT_SECONDS: Final = 10.0
TRUSTED_IDLE_SECONDS: Final = 5.0


class PortalUnreachable(RosterError):
    """The portal's database cannot be reached, or is too busy."""


class Pool:
    """At most `size` connections; one that was idle is tested before it is used again."""

    def __init__(self, connect: Callable[[], Connection], size: int = SIZE) -> None:
        self._connect = connect
        self._free = threading.BoundedSemaphore(size)
        self._idle: list[tuple[float, Connection]] = []

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection outside of any transaction, for as long as the block lasts."""
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise PortalUnreachable("The portal's database is busy. Try again in a minute.")
        try:
            connection = self._take()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._free.release()

    def close(self) -> None:
        """Closes what is idle."""
        while self._idle:
            self._idle.pop()[1].close()

    def _take(self) -> Connection:
        while self._idle:
            since, connection = self._idle.pop()
            if time.monotonic() - since < TRUSTED_IDLE_SECONDS or _is_alive(connection):
                return connection
            connection.close()
        try:
            return self._connect()
        except (psycopg2.Error, DatabaseFailure):
            # from None: the text names host and user
            raise PortalUnreachable(
                "The portal's database cannot be reached. Check the Airflow connection portal_db."
            ) from None

    def _give_back(self, connection: Connection) -> None:
        if connection.closed or connection.info.transaction_status != TRANSACTION_STATUS_IDLE:
            connection.close()
        else:
            self._idle.append((time.monotonic(), connection))


def _is_alive(connection: Connection) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        connection.rollback()
    except psycopg2.Error:
        return False
    return True


def _from_airflow() -> Connection:
    from roster_sync.orchestration.hooks import portal_connection

    return portal_connection()


POOL = Pool(_from_airflow)


@contextmanager
def reading() -> Iterator[Cursor]:
    """One read-only transaction as roster_read; a query that takes too long is canceled."""
    with POOL.connection() as connection, db.acting_as(connection, "roster_read") as cursor:
        cursor.execute("set local statement_timeout = '20s'")
        yield cursor


@contextmanager
def writing() -> Iterator[Cursor]:
    """One transaction as roster_desk: what people change on the pages."""
    with POOL.connection() as connection, db.acting_as(connection, "roster_desk") as cursor:
        cursor.execute("set local statement_timeout = '20s'")
        cursor.execute("set local lock_timeout = '5s'")
        yield cursor
