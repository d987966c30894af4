"""The embedded PostgreSQL 18: made once, started on demand, stopped by the last command that used it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

from ops.cluster_files import Layout, lay_out, write_settings
from ops.console import Problem, progress, say
from ops.home import REPOSITORY, Home
from ops.locks import Lock, exclusive, wait_until_free

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

SUPERUSER, OWNER, APP, AIRFLOW = "postgres", "roster_owner", "roster_app", "airflow"
PORTAL_DATABASE, AIRFLOW_DATABASE = "portal", "airflow"


@dataclass(frozen=True, slots=True)
class Server:
    """A running cluster, as its clients see it. The kernel says who is asking (peer): there are no passwords."""

    host: str
    layout: Layout
    in_use: Lock

    def connect(self, user: str, database: str) -> Connection:
        """A new connection; the caller closes it."""
        return psycopg2.connect(host=self.host, user=user, dbname=database)


@contextmanager
def running(home: Home, extra_settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """The home's PostgreSQL for the length of the block; the last to leave stops it.

    Whoever is inside holds a shared lock, which the kernel takes back from a killed process too: then the keeper, a
    small process that waits for the lock, stops the server.
    """
    in_use = Lock(home.run / "postgres-users.lock")
    in_use.share()
    try:
        layout = lay_out(home)
        with exclusive(home.run / "postgres-start.lock"):
            if not _answers(layout):
                _start(home, layout, extra_settings or {})
                _make_databases(layout)
        yield Server(str(layout.socket), layout, in_use)
    finally:
        if in_use.try_take():
            stop(home)
        in_use.close()


def migrated(server: Server) -> None:
    """Brings the portal database to the newest migration."""
    from roster_sync.errors import RosterError
    from roster_sync.migrations import migrate

    try:
        with closing(server.connect(OWNER, PORTAL_DATABASE)) as connection, progress("migrating the portal database"):
            migrate(connection)
    except RosterError as error:
        raise Problem(str(error)) from error


def stop(home: Home) -> None:
    """Stops the server, and then the keeper, which waits for a lock that the caller holds."""
    layout = Layout.kept(home)
    if layout is not None and (layout.data / "postmaster.pid").exists():
        with progress("stopping PostgreSQL"):
            _pg_ctl(layout, "stop", "-m", "fast", "-w", "-t", "60", check=False)
    _dismiss_keeper(home)


def _answers(layout: Layout) -> bool:
    """Whether the server is up with all that `_make_databases` makes; the portal is what it makes last."""
    try:
        psycopg2.connect(host=str(layout.socket), user=APP, dbname=PORTAL_DATABASE, connect_timeout=5).close()
    except psycopg2.OperationalError:
        return False
    return True


def _start(home: Home, layout: Layout, extra_settings: Mapping[str, str]) -> None:
    if not (layout.data / "PG_VERSION").exists():
        with progress("making the embedded PostgreSQL"):
            _initdb(layout)
    write_settings(layout, extra_settings)
    log = layout.data / "server.log"
    with progress("starting PostgreSQL"):
        for attempt in range(20):
            try:
                _pg_ctl(layout, "start", "-w", "-t", "120", "-l", str(log))
                break
            except subprocess.CalledProcessError as error:
                # after kill -9 of the postmaster its children need a moment to notice
                if attempt == 19 or not _children_linger(log):
                    raise Problem(f"PostgreSQL does not start; its log is {log}.") from error
                time.sleep(0.5)
    _post_keeper(home, layout)


def _initdb(layout: Layout) -> None:
    options = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _as_server(
        layout,
        [
            str(layout.bin / "initdb"),
            "-D",
            str(layout.data),
            "-U",
            SUPERUSER,
            "--auth=peer",
            "--no-instructions",
            *options,
        ],
    )


def _children_linger(log: Path) -> bool:
    return "still in use" in log.read_text(errors="replace")[-2000:]


def _make_databases(layout: Layout) -> None:
    """Logins, databases and who may connect, made where they are missing."""
    with closing(psycopg2.connect(host=str(layout.socket), user=SUPERUSER, dbname="postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute((REPOSITORY / "ops" / "sql" / "roles.sql").read_text(encoding="utf-8"))
            cursor.execute((REPOSITORY / "ops" / "sql" / "airflow_role.sql").read_text(encoding="utf-8"))
            cursor.execute("select datname from pg_database")
            there = {name for (name,) in cursor.fetchall()}
            for database, owner in ((AIRFLOW_DATABASE, AIRFLOW), (PORTAL_DATABASE, OWNER)):
                names = sql.Identifier(database), sql.Identifier(owner)
                if database not in there:
                    cursor.execute(sql.SQL("create database {} owner {}").format(*names))
                # TEMPORARY stays with all: it is the group roles' own, and they are not in the cluster yet
                cursor.execute(sql.SQL("revoke connect on database {} from public").format(names[0]))
                cursor.execute(sql.SQL("grant temporary on database {} to public").format(names[0]))
            names = sql.Identifier(PORTAL_DATABASE), sql.Identifier(APP)
            cursor.execute(sql.SQL("grant connect on database {} to {}").format(*names))


def _pg_ctl(layout: Layout, *arguments: str, check: bool = True) -> None:
    _as_server(layout, [str(layout.bin / "pg_ctl"), "-D", str(layout.data), "-s", *arguments], check=check)


def _as_server(layout: Layout, command: list[str], *, check: bool = True) -> None:
    """Runs one of PostgreSQL's programs as the user that the server runs as, with a bare environment."""
    # The output goes to a file: the server would inherit a pipe, and reading it to its end would wait for the server.
    with open(layout.messages, "w+b") as messages:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=messages,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            check=False,
            **layout.identity(),
        )
        messages.seek(0)
        if check and done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, command, output=messages.read())


def _post_keeper(home: Home, layout: Layout) -> None:
    subprocess.Popen(
        [sys.executable, str(REPOSITORY / "ops" / "keeper.py"), str(home.run), str(layout.bin), str(layout.data)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
        env={"PATH": "/usr/bin:/bin"},
    )


def _dismiss_keeper(home: Home) -> None:
    """The keeper waits for the lock that the caller holds; it has nothing left to do."""
    pid_file, lock = home.run / "keeper.pid", home.run / "keeper.lock"
    if wait_until_free(lock, 0.0) or not pid_file.exists():
        return
    try:
        os.kill(int(pid_file.read_text()), 15)
    except (ProcessLookupError, ValueError):
        return
    if not wait_until_free(lock, 5.0):
        say("the keeper of PostgreSQL did not end")
