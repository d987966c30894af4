"""The supervisor: what the demo starts never outlives it, however the demo ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.console import Problem
from ops.locks import Lock, is_held
from ops.services import services
from tests.dsl.database import REPOSITORY
from tests.ops.commands import wait_for

STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
folder = sys.argv[1]
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
open(folder + "/pids", "w").write(f"{os.getpid()} {child.pid}")
time.sleep(300)
"""
"""A program that ignores SIGTERM and has a child in a session of its own, as Airflow's tasks are."""

STARTER = """
import sys, time
from pathlib import Path
from ops.services import services
with services(Path(sys.argv[1])) as group:
    program = [sys.executable, sys.argv[1] + "/program.py", sys.argv[1]]
    group.start("program", program, {"PATH": "/usr/bin:/bin", "ROSTER_STOP_SECONDS": "1"})
    time.sleep(300)
"""


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return state.strip().startswith("Z") or not state.strip()


@pytest.fixture
def start_supervised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], subprocess.Popen[bytes]]:
    def start(program: str) -> subprocess.Popen[bytes]:
        (tmp_path / "program.py").write_text(textwrap.dedent(program))
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        return subprocess.Popen([sys.executable, "-c", STARTER, str(tmp_path)], env=environment)

    return start


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_was_started_ends_with_its_starter(
    tmp_path: Path, start_supervised: Callable[[str], subprocess.Popen[bytes]], how: signal.Signals
) -> None:
    starter = start_supervised(STUBBORN.replace("signal.SIG_IGN", "signal.SIG_DFL"))
    assert wait_for((tmp_path / "pids").exists)
    time.sleep(0.2)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    starter.send_signal(how)
    starter.wait(30)
    assert wait_for(lambda: all(map(_gone, pids)), 15)


def test_a_program_that_ignores_sigterm_is_killed_with_its_children(
    tmp_path: Path, start_supervised: Callable[[str], subprocess.Popen[bytes]]
) -> None:
    starter = start_supervised(STUBBORN)
    assert wait_for((tmp_path / "pids").exists)
    time.sleep(0.2)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    starter.kill()
    starter.wait(30)
    assert wait_for(lambda: all(map(_gone, pids)), 40)


def test_a_program_that_ends_by_itself_is_noticed_with_its_log_named(tmp_path: Path) -> None:
    with services(tmp_path) as group:
        group.start("short", [sys.executable, "-c", "print('bye'); raise SystemExit(3)"], dict(os.environ))
        assert wait_for(lambda: (tmp_path / "short.log").read_text() == "bye\n")
        time.sleep(0.5)
        with pytest.raises(Problem, match=r"short ended with 3.*short\.log"):
            group.check()


def test_a_lock_stays_held_until_the_program_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "some.lock"
    lock = Lock(path)
    lock.share()
    with services(tmp_path, [lock.descriptor]) as group:
        group.start("sleeper", ["/bin/sleep", "300"], dict(os.environ))
        lock.close()
        assert is_held(path)
    assert not is_held(path)
