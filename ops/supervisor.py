"""Runs a program that must not outlive whoever started it: `python leash.py PROGRAM ARGS`. Standard library only.

Its standard input is the leash: when the other end closes, because the starter lets go or was killed, the program gets
SIGTERM, and after a while whatever is left of it and of all that it started gets SIGKILL. Locks that the starter passed
on as open files stay held until then.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

PATIENCE = float(os.environ.get("ROSTER_STOP_SECONDS", "20"))
"""From SIGTERM to SIGKILL: Airflow takes up to ten to end its tasks."""
_PR_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> int:
    """Runs the program until it ends or the leash is let go; returns its exit code."""
    if sys.platform == "linux":  # orphans of the program become ours, so that none is missed
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    threading.Thread(target=_end_when_let_go, args=(child,), daemon=True).start()
    code = child.wait()
    _end_the_rest(child.pid)
    return code


def _end_when_let_go(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1024):
        pass
    child.terminate()
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()


def _end_the_rest(group: int) -> None:
    """What the program left running: its process group, then, on Linux, every process that has become our child."""
    for number, seconds in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0)):
        end = time.monotonic() + seconds
        while left := _left(group):
            for pid in left:
                _signal(pid, number)
            if time.monotonic() > end:
                break
            _reap()
            time.sleep(0.1)


def _left(group: int) -> list[int]:
    """Process ids, and the group's negative one where nothing better is known."""
    if sys.platform != "linux":
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return []
        return [-group]
    _reap()
    with open(f"/proc/self/task/{os.getpid()}/children") as children:
        found = [int(pid) for pid in children.read().split()]
    return found + [pid for parent in found for pid in _below(parent)]


def _below(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            found = [int(child) for child in children.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return found + [deeper for child in found for deeper in _below(child)]


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
