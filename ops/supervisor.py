"""Runs a program that must not outlive its starter: `python supervisor.py PROGRAM ARGS`. Standard library only.

Its standard input is a pipe from the starter. When the other end closes, because the starter closes it or was killed,
the program gets SIGTERM, and after a while whatever is left of it and of all that it started gets SIGKILL. Locks that
the starter passed on as open files stay held until then.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

STOP_SECONDS = float(os.environ.get("ROSTER_STOP_SECONDS", "20"))
"""From SIGTERM to SIGKILL: Airflow takes up to ten to end its tasks."""
_PR_SET_CHILD_SUBREAPER = 36


def start(
    command: Sequence[str],
    *,
    held: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    output: IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a program under a supervisor; closing the result's `stdin` ends both.

    Args:
        command: the program and its arguments.
        held: open files (locks) that stay open until nothing of the program is left.
        environment: the program's; None: ours.
        folder: its working directory; None: ours.
        output: where its output and its errors go; None: ours.
    """
    return subprocess.Popen(
        [sys.executable, __file__, *command],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        env=environment,
        cwd=folder,
        start_new_session=True,  # Ctrl-C reaches us only, and we end the programs in order
        pass_fds=tuple(held),
    )


def main(command: list[str]) -> int:
    """Runs the program until it ends or our input closes; returns its exit code."""
    if sys.platform == "linux":  # orphans of the program become ours, so that none is missed
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    threading.Thread(target=_end_when_input_closes, args=(child,), daemon=True).start()
    code = child.wait()
    _end_descendants(child.pid)
    return code


def _end_when_input_closes(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1024):
        pass
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def _end_descendants(group: int) -> None:
    """What the program left running: its process group, then, on Linux, every process that has become our child."""
    for number, seconds in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0)):
        end = time.monotonic() + seconds
        while left := _running_descendants(group):
            for pid in left:
                _signal(pid, number)
            if time.monotonic() > end:
                break
            _reap()
            time.sleep(0.1)


def _running_descendants(group: int) -> list[int]:
    """Process ids; on systems that do not list children, the group's id, negative."""
    if sys.platform != "linux":
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return []
        return [-group]
    _reap()
    return _descendants(os.getpid())


def _descendants(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            found = [int(child) for child in children.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return found + [deeper for child in found for deeper in _descendants(child)]


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.exit(128 - code if code < 0 else code)
