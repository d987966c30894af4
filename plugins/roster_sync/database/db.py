"""How the package speaks to PostgreSQL: SQL from files, one database role per transaction, errors without rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg2
from psycopg2 import sql

from roster_sync.config.paths import REPOSITORY
from roster_sync.core.errors import DatabaseFailure, NotExactlyOne

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

SQL_FOLDER: Final = REPOSITORY / "include" / "sql"
T = TypeVar("T")


@cache
def statement(name: str) -> str:
    """The text of include/sql/<name>.sql; may hold several statements, values only as %(name)s binds."""
    return (SQL_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def run(cursor: Cursor, name: str, params: Mapping[str, Any] | None = None) -> int:
    """Runs one SQL file and returns the row count of its last statement.

    Raises:
        DatabaseFailure: with the SQLSTATE and the file; PostgreSQL's own text may hold a whole row.
    """
    try:
        cursor.execute(statement(name), dict(params or {}))
    except psycopg2.Error as error:
        raise DatabaseFailure(f"include/sql/{name}.sql", error.pgcode) from None
    return cursor.rowcount


def rows(cursor: Cursor, name: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Runs one SQL file and returns the rows of its last statement as dictionaries."""
    run(cursor, name, params)
    columns = [column.name for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def one(cursor: Cursor, name: str, params: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """Runs one SQL file and returns its first row, or None."""
    found = rows(cursor, name, params)
    return found[0] if found else None


def exactly_one(cursor: Cursor, name: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Runs one SQL file whose last statement must give one row, and returns that row.

    Raises:
        NotExactlyOne: it gave none, or several; names the file.
    """
    found = rows(cursor, name, params)
    if len(found) != 1:
        raise NotExactlyOne(f"include/sql/{name}.sql", len(found))
    return found[0]


def exactly_one_as(cursor: Cursor, name: str, shape: Callable[..., T], params: Mapping[str, Any] | None = None) -> T:
    """The same as a dataclass.

    Args:
        cursor: the transaction at work.
        name: the file, without include/sql/ and .sql.
        shape: a dataclass with one field for each column of the file's last statement.
        params: the file's binds.

    Raises:
        NotExactlyOne: the file gave no row, or several.
    """
    return shape(**exactly_one(cursor, name, params))


def tune(cursor: Cursor) -> None:
    """Sets the transaction at work up for large set-based statements (PostgreSQL 18.4, 600,000 rows a run)."""
    cursor.execute("set local work_mem = '256MB'")
    cursor.execute("set local jit = off")  # compiling costs more than it saves on statements of under a second
    cursor.execute("set local enable_mergejoin = off")  # sorting text is the most expensive way to join it
    # the planner takes what a join lets through for most of it, and would keep the workers away (defaults 0.1 and 1000)
    cursor.execute("set local parallel_tuple_cost = 0.001")
    cursor.execute("set local parallel_setup_cost = 200")
    cursor.execute("set local default_statistics_target = 10")  # a tenth of ANALYZE's cost; only row counts matter here


def sibling(connection: Connection) -> Connection:
    """A second connection of the same login to the same database; the caller closes it."""
    parameters: dict[str, Any] = {**connection.info.dsn_parameters, "password": connection.info.password}
    second: Connection = psycopg2.connect(**parameters)
    limit_waits(second)
    return second


def limit_waits(connection: Connection) -> None:
    """Lets nothing on this connection wait for ever: neither our statement, nor the server for us.

    A task's own time limit is a signal, which libpq sleeps through (psycopg2 2.9, Airflow 3.3.2).
    """
    with connection.cursor() as cursor:
        cursor.execute("set lock_timeout = '15min'")  # then the task fails, and is tried again
        cursor.execute("set statement_timeout = '4h'")  # as long as a source may take that COPY reads from
        # a worker whose host is gone: the server finds out, and lets go of the district's lock
        cursor.execute("set tcp_keepalives_idle = 60")
        cursor.execute("set tcp_keepalives_interval = 10")
        cursor.execute("set tcp_keepalives_count = 6")
    connection.commit()


@contextmanager
def acting_as(connection: Connection, role: str) -> Iterator[Cursor]:
    """One transaction in one database role (roster_edit, roster_reset, ...): committed at the end, undone on error.

    The login is a NOINHERIT member of the roles, so nothing may be done outside of such a block.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
            yield cursor
        connection.commit()
    except psycopg2.Error as error:
        connection.rollback()
        raise DatabaseFailure(f"a statement as {role}", error.pgcode) from None
    except BaseException:
        connection.rollback()
        raise
