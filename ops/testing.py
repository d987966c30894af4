"""bin/test: ruff, mypy and pytest, with a PostgreSQL and an Airflow home of their own; `--help` says what runs when."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from psycopg2 import sql

from ops.airflow.environment import airflow_environment
from ops.airflow.metadata_database import set_up
from ops.console import run_command, say
from ops.foreground import run_in_foreground
from ops.home import REPOSITORY, Home
from ops.locks import Lock
from ops.postgres.cluster import Server, running
from ops.postgres.control import SUPERUSER

NO_BROWSER = "the browser tests are left out: they need chromium (Debian, Ubuntu: apt-get install chromium)"
HELP = """\
bin/test                   all checks (ruff check, ruff format --check, mypy), then all tests
bin/test --fast            the same checks, then all tests but those marked slow or browser
bin/test --coverage        as bin/test, and prints which lines of the package no test reaches
bin/test tests/engine -x   no checks, and only these tests: the arguments are pytest's
bin/test --fast tests/ui   no checks, and of these tests only the fast ones
bin/test --help            this page

A PostgreSQL and an Airflow home of its own are started under var/test (or ROSTER_HOME) and kept for the next run.
Markers: slow (starts processes, containers or whole DAG runs), browser (drives chromium).
"""
FAST = ["-m", "not slow and not browser"]
COVERAGE = ["--cov", "--cov-report=term:skip-covered"]
"""What is measured: pyproject.toml. Slower than without, so only on demand."""
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "--quiet", "."),
    ("mypy", "--strict", "plugins/roster_sync", "ops", "include", "tests"),
)


def test(arguments: list[str]) -> int:
    """Runs the checks and the tests; pytest comes last, so that its closing line is the last one."""
    if arguments[:1] in (["--help"], ["-h"]):
        sys.stdout.write(HELP)
        return 0
    fast = FAST if "--fast" in arguments else []
    coverage = COVERAGE if "--coverage" in arguments else []
    arguments = [argument for argument in arguments if argument not in ("--fast", "--coverage")]
    os.environ.setdefault("ROSTER_HOME", str(REPOSITORY / "var" / "test"))
    home = Home.from_environment()
    with running(home, {"fsync": "off", "full_page_writes": "off"}) as server, _own_databases(home, server):
        environment = airflow_environment(home, server)
        set_up(home, server, environment)
        environment |= {"ROSTER_TEST_PG": server.host, "ROSTER_TEST_PG_USER": SUPERUSER}
        environment.pop("AIRFLOW_CONN_PORTAL_DB", None)  # a test names the database that it made
        checked = bool(arguments) or _checked(environment)
        if chromium() is None and not fast:
            say(f"bin/test: {NO_BROWSER}.")
        chosen = arguments or ["-n", str(min(4, os.cpu_count() or 1))]
        tested = run_in_foreground(
            [sys.executable, "-m", "pytest", *fast, *coverage, *chosen], environment, folder=REPOSITORY
        )
        return tested or (0 if checked else 1)


def chromium() -> str | None:
    """The browser of the pages' tests: the distribution's, never one that playwright would download."""
    return os.environ.get("ROSTER_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def _checked(environment: dict[str, str]) -> bool:
    return all([_check(command, environment) for command in CHECKS])  # a list: every check runs


def _check(command: tuple[str, ...], environment: dict[str, str]) -> bool:
    say(f"{' '.join(command[:2])} ...")
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run([str(program), *command[1:]], cwd=REPOSITORY, env=environment, check=False)
    return done.returncode == 0


@contextmanager
def _own_databases(home: Home, server: Server) -> Iterator[None]:
    """Drops what killed test runs left behind, unless another test run of this home is at work."""
    lock = Lock(home.run / "tests.lock")
    try:
        if lock.try_take():
            _drop_leftovers(server)
        lock.share()
        yield
    finally:
        lock.close()


def _drop_leftovers(server: Server) -> None:
    with closing(server.connect(SUPERUSER, "postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("select datname from pg_database where datname ~ '^(roster|airflow)_(test|template)_'")
            for (name,) in cursor.fetchall():
                cursor.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


if __name__ == "__main__":
    run_command("bin/test", test)
