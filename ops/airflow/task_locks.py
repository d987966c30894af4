"""Either schedulers or `dags test` run tasks: on one metadata database both would run the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.airflow.metadata_database import close_killed_tests
from ops.console import Problem, say
from ops.home import Home
from ops.locks import Lock, exclusive, is_held
from ops.postgres.cluster import Server


@contextmanager
def testing_dags(home: Home, server: Server) -> Iterator[None]:
    """Keeps schedulers from starting while `dags test` runs; several tests can run at once."""
    with _gate(home):
        if is_held(_schedulers(home)):
            raise Problem(
                "a scheduler of this ROSTER_HOME is running and would run the same tasks: stop it (is it bin/demo?), "
                "or start the DAG through it with `bin/airflow dags trigger`."
            )
        _close_killed(home, server)
        lock = Lock(_tests(home))
        lock.share()
    try:
        yield
    finally:
        lock.close()


@contextmanager
def scheduling(home: Home, server: Server) -> Iterator[Lock]:
    """Keeps `dags test` from starting while a scheduler runs."""
    with _gate(home):
        if is_held(_tests(home)):
            raise Problem("a `dags test` of this ROSTER_HOME is running: start the scheduler when it has ended.")
        _close_killed(home, server)
        lock = Lock(_schedulers(home))
        lock.share()
    try:
        yield lock
    finally:
        lock.close()


def _close_killed(home: Home, server: Server) -> None:
    if not is_held(_tests(home)) and close_killed_tests(server):
        say("a `dags test` was killed before: its run is marked as failed")


@contextmanager
def _gate(home: Home) -> Iterator[None]:
    with exclusive(home.run / "tasks-gate.lock"):
        yield


def _schedulers(home: Home) -> Path:
    return home.run / "schedulers.lock"


def _tests(home: Home) -> Path:
    return home.run / "dags-tests.lock"
