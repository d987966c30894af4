"""Stops the embedded PostgreSQL when every command that used it is gone, killed ones included. Standard library only.

Runs beside the server as `python keeper.py RUN_FOLDER BIN_FOLDER DATA_FOLDER`, asleep in the kernel all the time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ops.locks import Lock


def main(run: Path, programs: Path, data: Path) -> None:
    """Waits until no one uses the server any more, and stops it if it is still the one it was posted for."""
    server = _server(data)
    alive = Lock(run / "keeper.lock")
    alive.take()
    (run / "keeper.pid").write_text(str(os.getpid()))
    Lock(run / "postgres-users.lock").take()
    if server is not None and _server(data) == server:
        subprocess.run(
            [str(programs / "pg_ctl"), "-D", str(data), "-s", "stop", "-m", "fast", "-w", "-t", "60"],
            check=False,
            **_identity(data),
        )


def _server(data: Path) -> str | None:
    file = data / "postmaster.pid"
    return file.read_text().partition("\n")[0] if file.exists() else None


def _identity(data: Path) -> dict[str, Any]:
    owner = data.stat()
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
