"""The embedded PostgreSQL 18: made once, started on demand, stopped by the last command that used it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

from ops.console import Problem, progress, say
from ops.home import REPOSITORY, Home
from ops.locks import Lock, exclusive, is_held, wait_until_free
from ops.postgres import control, keeper
from ops.postgres.control import SUPERUSER
from ops.postgres.layout import Layout, lay_out

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

OWNER, APP, AIRFLOW = "roster_owner", "roster_app", "airflow"
PORTAL_DATABASE, AIRFLOW_DATABASE = "portal", "airflow"
_START_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running cluster, as its clients see it. Authentication is by the kernel (peer), without passwords."""

    host: str
    layout: Layout

    def connect(self, user: str, database: str) -> Connection:
        """A new connection; the caller closes it."""
        return psycopg2.connect(host=self.host, user=user, dbname=database)


@contextmanager
def running(home: Home, extra_settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """The home's PostgreSQL for the length of the block; the last command to leave stops it.

    Each command inside holds a shared lock, which the kernel releases when a process is killed: then the keeper, a
    small process that waits for the lock, stops the server.
    """
    in_use = Lock(home.run / "postgres-users.lock")
    in_use.share()
    try:
        layout = lay_out(home)
        with progress("starting PostgreSQL"), exclusive(home.run / "postgres-start.lock"):
            # the portal database is made last: if it answers, everything is there
            if not _answers(layout, APP, PORTAL_DATABASE):
                _ensure_running(home, layout, extra_settings or {})
                _make_databases(layout)
        yield Server(str(layout.socket), layout)
    finally:
        if in_use.try_take():
            stop(home)
        else:
            in_use.share()  # at once if others use it; if the keeper was first, when it has stopped the server
        in_use.close()


def migrated(server: Server) -> None:
    """Brings the portal database to the newest migration."""
    from roster_sync.core.errors import RosterError
    from roster_sync.database.migrations import migrate

    try:
        with closing(server.connect(OWNER, PORTAL_DATABASE)) as connection, progress("migrating the portal database"):
            migrate(connection)
    except RosterError as error:
        raise Problem(str(error)) from error


def stop(home: Home) -> None:
    """Stops the server, and then the keeper, which waits for a lock that the caller holds."""
    layout = Layout.existing(home)
    if layout is not None:
        with progress("stopping PostgreSQL"):
            control.stop(layout)
        if not layout.socket.is_relative_to(home.folder):
            layout.socket.rmdir()
    _end_keeper(home)


def _ensure_running(home: Home, layout: Layout, extra_settings: Mapping[str, str]) -> None:
    end = time.monotonic() + _START_SECONDS
    while not _answers(layout, SUPERUSER, "postgres"):
        if not is_held(home.run / keeper.LOCK):
            _start_keeper(home, extra_settings)
        elif _keeper_state(home)[1] == keeper.UP:  # the server died under its keeper
            control.start(layout, extra_settings)
        elif time.monotonic() > end:
            raise Problem(f"PostgreSQL does not start; its log is {layout.data / 'server.log'}.")
        else:  # the command that began to start it was killed; its keeper continues
            time.sleep(0.1)


def _answers(layout: Layout, user: str, database: str) -> bool:
    try:
        psycopg2.connect(host=str(layout.socket), user=user, dbname=database, connect_timeout=5).close()
    except psycopg2.OperationalError:
        return False
    return True


def _start_keeper(home: Home, extra_settings: Mapping[str, str]) -> None:
    """Starts the keeper and waits until it says that the server is up."""
    log = home.logs / "keeper.log"
    with open(log, "ab") as errors:
        process = subprocess.Popen(
            [sys.executable, keeper.__file__, str(home.folder), json.dumps(dict(extra_settings))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd="/",
            start_new_session=True,
            env={"PATH": "/usr/bin:/bin"},
            text=True,
        )
    assert process.stdout is not None  # noqa: S101 - for the type checker
    with process.stdout as output:
        try:
            answer = output.readline().strip()
        except (
            BaseException
        ):  # we are asked to end: the server that is starting comes up first and is then stopped in order
            output.readline()
            raise
    if answer != keeper.UP:
        raise Problem(answer or f"the process that starts PostgreSQL ended; its output is in {log}.")


def _keeper_state(home: Home) -> tuple[int, str]:
    pid, _, state = (home.run / keeper.STATE).read_text().partition(" ")
    return int(pid), state


def _end_keeper(home: Home) -> None:
    """Ends the keeper, which waits for the lock that the caller holds and has nothing left to do.

    A keeper that is still starting the server stops it itself as soon as the caller releases the lock; killed, it would
    leave a server that no one stops.
    """
    if not is_held(home.run / keeper.LOCK):
        return
    pid, state = _keeper_state(home)
    if state != keeper.UP:
        return
    os.kill(pid, 15)
    if not wait_until_free(home.run / keeper.LOCK, 5.0):
        say("the keeper of PostgreSQL did not end")


def _make_databases(layout: Layout) -> None:
    """Logins, databases and who may connect, made where they are missing."""
    with closing(psycopg2.connect(host=str(layout.socket), user=SUPERUSER, dbname="postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute((REPOSITORY / "ops" / "sql" / "roles.sql").read_text(encoding="utf-8"))
            cursor.execute((REPOSITORY / "ops" / "sql" / "airflow_role.sql").read_text(encoding="utf-8"))
            cursor.execute("select datname from pg_database")
            existing = {name for (name,) in cursor.fetchall()}
            for database, owner in ((AIRFLOW_DATABASE, AIRFLOW), (PORTAL_DATABASE, OWNER)):
                names = sql.Identifier(database), sql.Identifier(owner)
                if database not in existing:
                    cursor.execute(sql.SQL("create database {} owner {}").format(*names))
                # TEMPORARY stays granted to all: the group roles need it, and they are not in the cluster yet
                cursor.execute(sql.SQL("revoke connect on database {} from public").format(names[0]))
                cursor.execute(sql.SQL("grant temporary on database {} to public").format(names[0]))
            names = sql.Identifier(PORTAL_DATABASE), sql.Identifier(APP)
            cursor.execute(sql.SQL("grant connect on database {} to {}").format(*names))
