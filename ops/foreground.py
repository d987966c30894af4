"""Runs a program in the foreground in our place: it gets our signals and does not outlive us."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1


def run_in_foreground(
    command: list[str], environment: dict[str, str], *, folder: Path | None = None, patience: float = 10.0
) -> int:
    """Runs a program with our terminal and returns its exit code; one that ignores SIGTERM is killed after a while."""
    parent = os.getpid()
    child = subprocess.Popen(command, env=environment, cwd=folder, preexec_fn=lambda: _die_with_parent(parent))

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)
        killer = threading.Timer(patience, child.kill)
        killer.daemon = True
        killer.start()

    # The terminal sends Ctrl-C to the child as well, so we only wait for its reaction.
    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code


def _die_with_parent(parent: int) -> None:
    """In the child: the kernel kills us when the parent dies (Linux only; elsewhere losing the database ends us)."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
