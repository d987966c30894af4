"""Advisory locks: one run of a district starts at a time, and one plans or writes at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from roster_sync.database import db

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor


def lock_start(cursor: Cursor, district_id: int) -> None:
    """One run of a district is opened, or goes on after an approval, at a time; until the transaction ends."""
    cursor.execute("select pg_advisory_xact_lock(hashtextextended('roster begin', %s))", (district_id,))


def lock_district(cursor: Cursor, district_id: int) -> None:
    """The lock that Edit, Reset, Undo and match reviews of a district share; until the transaction ends."""
    cursor.execute("select pg_advisory_xact_lock(hashtextextended('roster district', %s))", (district_id,))


@contextmanager
def locked_district(connection: Connection, district_id: int) -> Iterator[None]:
    """The same lock over several transactions of this session, which ends without a temporary table."""
    with db.acting_as(connection, "roster_edit") as cursor:
        cursor.execute("select pg_advisory_lock(hashtextextended('roster district', %s))", (district_id,))
    try:
        yield
    finally:
        if not connection.closed:
            with db.acting_as(connection, "roster_edit") as cursor:
                cursor.execute("select pg_advisory_unlock(hashtextextended('roster district', %s))", (district_id,))
                cursor.execute("discard temp")
