"""Runs a module of ours in .venv: `python3 launcher.py MODULE ARGS`. Makes .venv first if it is missing or outdated.

Run by any python3, so standard library only, and little of it, because every command goes through here. It replaces
itself by the module (exec), so that a signal to a command reaches it whatever it is doing.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
VENV = REPOSITORY / ".venv"
REQUIREMENTS = (REPOSITORY / "requirements.txt", REPOSITORY / "requirements-dev.txt")
"""The packages of production, and those that the commands here need beyond that."""
STAMP = VENV / ".roster-stamp"
START = """\
import sys
try:
    import runpy
    if sys.path[0] == "":
        del sys.path[0]
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
except KeyboardInterrupt:
    sys.exit(130)
"""
"""Not -m, which would put the caller's folder in front of ours (python -P is 3.11 and newer)."""


def main(command: list[str]) -> int:
    """Makes .venv if needed, and becomes the command."""
    if not is_current():
        sys.path.insert(0, str(REPOSITORY))
        from ops.installer import install

        if code := install():
            return code
    paths = [str(REPOSITORY / "config"), str(REPOSITORY / "plugins"), str(REPOSITORY), os.environ.get("PYTHONPATH")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    python = str(VENV / "bin" / "python")
    os.execv(python, [python, "-c", START, *command])  # noqa: S606 - arguments from our own code and the caller


def is_current() -> bool:
    """Whether .venv was made from the present lists."""
    return STAMP.exists() and STAMP.read_text() == current_stamp() and os.access(VENV / "bin" / "python", os.X_OK)


def current_stamp() -> str:
    """The stamp of a .venv that was made from the present lists."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in REQUIREMENTS)).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
