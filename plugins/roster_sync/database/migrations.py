"""Brings a database to the newest migration: numbered files, forward only, checksummed, one transaction each."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg2

from roster_sync.config.paths import REPOSITORY
from roster_sync.core.errors import ConfigError, DatabaseFailure, RosterError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

MIGRATIONS_FOLDER: Final = REPOSITORY / "include" / "sql" / "migrations"
DSN_VARIABLE: Final = "ROSTER_MIGRATE_DSN"
OLDEST_SERVER: Final = 180000
"""PostgreSQL 18: MERGE ... BY SOURCE, RETURNING old.*, and no silent end of a CSV COPY at a line `\\.`."""

_FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_LOCK_KEY: Final = 7_305_912_118
_HISTORY: Final = """
create table if not exists public.roster_migrations (
  version integer primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    version: int
    name: str
    text: str
    checksum: str


def read_migrations(folder: Path) -> list[Migration]:
    """The folder's migrations in order.

    Raises:
        ConfigError: a file's name has no number, a number is missing or there twice, or there is no file at all.
    """
    found = [_read(path) for path in sorted(folder.glob("*.sql"))]
    if not found:
        raise ConfigError(f"There is no migration in {folder}.")
    for expected, migration in enumerate(found, start=1):
        if migration.version != expected:
            raise ConfigError(
                f"Migration {migration.name} stands where number {expected:04d} is due: "
                "number the files 0001, 0002 and so on, without a gap and each number once."
            )
    return found


def migrate(connection: Connection, folder: Path = MIGRATIONS_FOLDER) -> list[str]:
    """Applies what is missing and returns the names of the files applied; a second call applies nothing.

    Raises:
        ConfigError: the files are not in order, an applied file was changed, or the database or server does not fit.
        DatabaseFailure: PostgreSQL refused a file; that file is rolled back, the ones before it stay.
    """
    if connection.server_version < OLDEST_SERVER:
        raise ConfigError(
            f"The portal database runs on PostgreSQL {connection.server_version // 10000}; it needs 18 or newer."
        )
    migrations = read_migrations(folder)
    with _only_one(connection):
        pending = _pending(migrations, _applied(connection))
        for migration in pending:
            _apply(connection, migration)
    return [migration.name for migration in pending]


def _read(path: Path) -> Migration:
    match = _FILE_NAME.fullmatch(path.name)
    if match is None:
        raise ConfigError(f"Migration {path.name} must be named NNNN_what_it_does.sql, in lower case.")
    text = path.read_text(encoding="utf-8")  # universal newlines: a CRLF checkout has the same checksum
    return Migration(int(match[1]), path.name, text, hashlib.sha256(text.encode()).hexdigest())


@contextmanager
def _only_one(connection: Connection) -> Iterator[None]:
    """Holds the database's migration lock; a second runner waits here, and then finds nothing to do."""
    _run(connection, "the lock for migrations", f"select pg_advisory_lock({_LOCK_KEY})")
    try:
        yield
    finally:
        if not connection.closed:
            connection.rollback()
            _run(connection, "the lock for migrations", f"select pg_advisory_unlock({_LOCK_KEY})")


def _applied(connection: Connection) -> list[tuple[int, str, str]]:
    _run(connection, "the table of applied migrations", _HISTORY)
    with connection, connection.cursor() as cursor:
        cursor.execute("select version, name, checksum from public.roster_migrations order by version")
        return [(int(version), str(name), str(checksum)) for version, name, checksum in cursor.fetchall()]


def _pending(migrations: list[Migration], applied: list[tuple[int, str, str]]) -> list[Migration]:
    if len(applied) > len(migrations):
        raise ConfigError(
            f"The database is at migration {applied[-1][1]}, which this checkout does not have: update the checkout."
        )
    for migration, (version, name, checksum) in zip(migrations, applied, strict=False):
        if (version, checksum) != (migration.version, migration.checksum):
            raise ConfigError(
                f"Migration {name} was changed after it had been applied: restore the file, and put the change "
                "into a new migration."
            )
    return migrations[len(applied) :]


def _apply(connection: Connection, migration: Migration) -> None:
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(migration.text)
            cursor.execute(
                "insert into public.roster_migrations (version, name, checksum)"
                " values (%(version)s, %(name)s, %(checksum)s)",
                {"version": migration.version, "name": migration.name, "checksum": migration.checksum},
            )
    except psycopg2.Error as error:
        # from None: PostgreSQL's own text may hold a row of the table that is migrated
        raise DatabaseFailure(_place(migration, error), error.pgcode) from None


def _place(migration: Migration, error: psycopg2.Error) -> str:
    position = error.diag.statement_position
    if position is None:
        return f"migration {migration.name}"
    return f"migration {migration.name}, line {migration.text.count(chr(10), 0, int(position) - 1) + 1}"


def _run(connection: Connection, what: str, text: str) -> None:
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(text)
    except psycopg2.Error as error:
        raise DatabaseFailure(what, error.pgcode) from None


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m roster_sync.migrations`: migrates the database that ROSTER_MIGRATE_DSN names."""
    parser = argparse.ArgumentParser(
        prog="python -m roster_sync.migrations",
        description=f"Brings the portal database named by {DSN_VARIABLE} (its owner's DSN) to the newest migration.",
    )
    parser.parse_args(arguments)
    try:
        applied = _migrate_named_by(os.environ.get(DSN_VARIABLE, ""))
    except RosterError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write("".join(f"applied {name}\n" for name in applied) or "nothing to apply\n")
    return 0


def _migrate_named_by(dsn: str) -> list[str]:
    if not dsn:
        raise ConfigError(f"Set {DSN_VARIABLE} to the DSN of the portal database's owner.")
    try:
        connection = psycopg2.connect(dsn)
    except psycopg2.Error:
        # from None: the text names the host and user, and a malformed DSN is quoted whole, password included
        raise ConfigError(
            f"The portal database named by {DSN_VARIABLE} cannot be reached: check that its server runs, and the DSN"
            " (postgresql://owner:password@host:5432/database)."
        ) from None
    try:
        return migrate(connection)
    finally:
        connection.close()
