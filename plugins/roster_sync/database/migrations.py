"""Brings a database to this version: numbered migrations forward, then every function and view whose file changed."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg2
from psycopg2 import sql

from roster_sync.config.paths import REPOSITORY
from roster_sync.core.errors import ConfigError, DatabaseFailure, RosterError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

SQL_FOLDER: Final = REPOSITORY / "include" / "sql"
"""Holds migrations/NNNN_what.sql, applied once each, and routines/<schema>/<name>.sql, applied whenever they change."""
DSN_VARIABLE: Final = "ROSTER_MIGRATE_DSN"
OLDEST_SERVER: Final = 180000
"""PostgreSQL 18: MERGE ... BY SOURCE, RETURNING old.*, and no silent end of a CSV COPY at a line `\\.`."""

_FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_OBJECT: Final = re.compile(r"^create (or replace function|view) ([a-z_]+)\.([a-z0-9_]+)", re.MULTILINE)
_LOCK_KEY: Final = 7_305_912_118
_HISTORY: Final = """
create table if not exists public.roster_migrations (
  version integer primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
);
create table if not exists public.roster_routines (
  name text primary key,
  kind text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
);
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    version: int
    name: str
    text: str
    checksum: str


@dataclass(frozen=True, slots=True)
class Routine:
    """The file of one function, with its triggers and grants, or of one view."""

    name: str
    """With its schema: staging.open_run."""
    kind: str
    """'function' or 'view'."""
    text: str
    checksum: str

    @property
    def file(self) -> str:
        """The path below include/sql."""
        return f"routines/{self.name.replace('.', '/')}.sql"


def read_migrations(folder: Path) -> list[Migration]:
    """The numbered files of a folder, in order.

    Raises:
        ConfigError: a file's name has no number, a number is missing or there twice, or there is no file at all.
    """
    found = [_read_migration(path) for path in sorted(folder.glob("*.sql"))]
    if not found:
        raise ConfigError(f"There is no migration in {folder}.")
    for expected, migration in enumerate(found, start=1):
        if migration.version != expected:
            raise ConfigError(
                f"Migration {migration.name} is where number {expected:04d} must be: "
                "number the files 0001, 0002 and so on, without a gap and each number once."
            )
    return found


def read_routines(folder: Path) -> list[Routine]:
    """The functions and views of a folder: functions first, because views use them, each kind by name.

    Raises:
        ConfigError: a file does not create exactly the object that its path names, or there is no file at all.
    """
    found = [_read_routine(path) for path in sorted(folder.glob("*/*.sql"))]
    if not found:
        raise ConfigError(f"There is no function or view in {folder}.")
    return sorted(found, key=lambda routine: (routine.kind, routine.name))


def migrate(connection: Connection, folder: Path = SQL_FOLDER) -> list[str]:
    """Applies what is missing or changed, in one transaction, and returns the files applied; a second call finds none.

    Views hold no data, so all are dropped first and made anew last: neither a migration nor another view is in the way
    of a changed one. A function or view whose file is gone is dropped.

    Raises:
        ConfigError: the files are not in order, an applied migration was changed, or database or server do not fit.
        DatabaseFailure: PostgreSQL refused a file; nothing is changed then.
    """
    if connection.server_version < OLDEST_SERVER:
        raise ConfigError(
            f"The portal database runs on PostgreSQL {connection.server_version // 10000}; it needs 18 or newer."
        )
    migrations = read_migrations(folder / "migrations")
    routines = read_routines(folder / "routines")
    with connection, connection.cursor() as cursor:
        # a second runner waits here, and then finds nothing to do
        _run(cursor, "the lock for migrations", f"select pg_advisory_xact_lock({_LOCK_KEY})")
        _run(cursor, "the tables of what was applied", _HISTORY)
        pending = _pending(migrations, _rows(cursor, "select version, name, checksum from public.roster_migrations"))
        recorded = {(name, kind): checksum for name, kind, checksum in _rows(
            cursor, "select name, kind, checksum from public.roster_routines")}  # fmt: skip
        changed = [routine for routine in routines if recorded.get((routine.name, routine.kind)) != routine.checksum]
        gone = sorted(recorded.keys() - {(routine.name, routine.kind) for routine in routines})
        if pending or changed or gone:
            _drop(cursor, "view", [name for name, kind in recorded if kind == "view"])
            for migration in pending:
                _apply_migration(cursor, migration)
            for routine in changed:
                if routine.kind == "function":
                    _run(cursor, routine.file, routine.text)
            _drop(cursor, "function", [name for name, kind in gone if kind == "function"])
            for routine in routines:
                if routine.kind == "view":
                    _run(cursor, routine.file, routine.text)
            _record(cursor, changed, [name for name, _ in gone])
    return [migration.name for migration in pending] + [routine.file for routine in changed]


def _read_migration(path: Path) -> Migration:
    match = _FILE_NAME.fullmatch(path.name)
    if match is None:
        raise ConfigError(f"Migration {path.name} must be named NNNN_what_it_does.sql, in lower case.")
    return Migration(int(match[1]), path.name, *_read(path))


def _read_routine(path: Path) -> Routine:
    text, checksum = _read(path)
    name = f"{path.parent.name}.{path.stem}"
    created = [(f"{schema}.{of}", words.rpartition(" ")[2]) for words, schema, of in _OBJECT.findall(text)]
    if [of for of, _ in created] != [name]:
        raise ConfigError(f"The file {path.parent.name}/{path.name} must create {name}, and no other function or view.")
    return Routine(name, created[0][1], text, checksum)


def _read(path: Path) -> tuple[str, str]:
    text = path.read_text(encoding="utf-8")  # universal newlines: a CRLF checkout has the same checksum
    return text, hashlib.sha256(text.encode()).hexdigest()


def _pending(migrations: list[Migration], applied: list[tuple[Any, ...]]) -> list[Migration]:
    applied = sorted(applied)
    for migration, (version, name, checksum) in zip(migrations, applied, strict=False):
        if (version, name) != (migration.version, migration.name):
            raise ConfigError(
                f"The portal database was made by other migrations ({name}, where this version has {migration.name}): "
                "drop it and create it again or, if it is the embedded one, remove its folder (var, or what "
                "ROSTER_HOME names)."
            )
        if checksum != migration.checksum:
            raise ConfigError(
                f"Migration {name} was changed after it had been applied: restore the file, and put the change "
                "into a new migration."
            )
    if len(applied) > len(migrations):
        raise ConfigError(
            f"The database is at migration {applied[-1][1]}, which this checkout does not have: update the checkout."
        )
    return migrations[len(applied) :]


def _apply_migration(cursor: Cursor, migration: Migration) -> None:
    _run(cursor, f"migration {migration.name}", migration.text)
    cursor.execute(
        "insert into public.roster_migrations (version, name, checksum) values (%s, %s, %s)",
        (migration.version, migration.name, migration.checksum),
    )


def _drop(cursor: Cursor, kind: str, names: list[str]) -> None:
    if names:
        objects = sql.SQL(", ").join(sql.Identifier(*name.split(".")) for name in names)
        text = sql.SQL("drop {} if exists {}").format(sql.SQL(kind), objects)
        _run(cursor, f"to drop {kind}s: {', '.join(names)}", text.as_string(cursor))


def _record(cursor: Cursor, changed: list[Routine], gone: list[str]) -> None:
    cursor.execute(
        "delete from public.roster_routines where name = any (%s)", ([*gone, *(routine.name for routine in changed)],)
    )
    for routine in changed:
        cursor.execute(
            "insert into public.roster_routines (name, kind, checksum) values (%s, %s, %s)",
            (routine.name, routine.kind, routine.checksum),
        )


def _run(cursor: Cursor, what: str, text: str) -> None:
    try:
        cursor.execute(text)
    except psycopg2.Error as error:
        position = error.diag.statement_position
        line = "" if position is None else f", line {text.count(chr(10), 0, int(position) - 1) + 1}"
        # from None: PostgreSQL's own text may hold a row of the table that is migrated
        raise DatabaseFailure(what + line, error.pgcode) from None


def _rows(cursor: Cursor, query: str) -> list[tuple[Any, ...]]:
    cursor.execute(query)
    return cursor.fetchall()


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
