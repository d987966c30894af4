"""Starts the embedded PostgreSQL, and stops it when every command that used it is gone, killed ones included.

Runs as a process of its own, `python keeper.py ROSTER_HOME SETTINGS_AS_JSON`, so that killing a command spares it.
Prints `up`, or what is wrong, on standard output; then waits until no one holds the users' lock any more.
Standard library only, to be small.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ops.console import Problem
from ops.home import Home
from ops.locks import Lock
from ops.postgres import control
from ops.postgres.layout import lay_out

LOCK, STATE = "keeper.lock", "keeper.state"
STARTING, UP = "starting", "up"


def main(home: Home, settings: dict[str, str]) -> int:
    """Starts the server, waits, and stops it."""
    lock = Lock(home.run / LOCK)
    lock.take()  # at once, unless another command is just testing whether it is held
    state = home.run / STATE
    state.write_text(f"{os.getpid()} {STARTING}")
    layout = lay_out(home)
    try:
        control.start(layout, settings)
    except Problem as problem:
        _report(str(problem))
        return 1
    state.write_text(f"{os.getpid()} {UP}")
    _report(UP)
    Lock(home.run / "postgres-users.lock").take()
    control.stop(layout)
    return 0


def _report(text: str) -> None:
    with suppress(BrokenPipeError):  # the command that asked is gone; the lock says whether the server is needed
        os.write(1, f"{text}\n".encode())
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)


if __name__ == "__main__":
    sys.exit(main(Home(Path(sys.argv[1])), json.loads(sys.argv[2])))
