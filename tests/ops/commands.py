"""Runs bin/* as a person would, with a ROSTER_HOME of the test's own."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.dsl.database import REPOSITORY


@contextmanager
def new_home() -> Iterator[Path]:
    """An empty ROSTER_HOME; at the end nothing of it may be running.

    Not below pytest's own folder: every pytest of this user makes that private again while it starts, and under root
    the database's system user must get through.
    """
    with tempfile.TemporaryDirectory(prefix="roster-home-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o755)
        yield home
        assert wait_for(lambda: processes_of(home) == [])


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a fresh shell has, and the home; nothing of what bin/test set for this test run."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "ROSTER_", "PYTEST_", "PYTHONPATH"))
    }
    return {**kept, "ROSTER_HOME": str(home), **more}


def run(command: str, *arguments: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        [str(REPOSITORY / "bin" / command), *arguments],
        env=environment(home, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def ask(*arguments: str, home: Path) -> str:
    """What bin/psql answers; it must succeed."""
    done = run("psql", *arguments, home=home)
    assert done.returncode == 0, done.stderr
    return done.stdout


def start(command: str, *arguments: str, home: Path, **more: str) -> subprocess.Popen[str]:
    """Starts a command; its input is a pipe that stays open."""
    return subprocess.Popen(
        [str(REPOSITORY / "bin" / command), *arguments],
        env=environment(home, **more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Waits for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def processes_of(home: Path) -> list[str]:
    """The command lines of running processes that name the home."""
    found = subprocess.run(["ps", "-eww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    names = (str(home), str((home / "postgres").resolve()))
    return [line for line in found.splitlines() if any(name in line for name in names)]


def server_pid(home: Path) -> int | None:
    """The postmaster's process id, None when the server is down."""
    file = home / "postgres" / "postmaster.pid"
    try:
        return int(file.read_text().splitlines()[0])
    except (FileNotFoundError, IndexError):
        return None
