"""Becomes a module of ours that runs in .venv, made first where it does not fit: `python3 launcher.py MODULE ARGS`.

Run by any python3, so standard library only, and little of it: this is the way of every command. One process from here
on, so that a signal to a command reaches it whatever it is doing.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
VENV = REPOSITORY / ".venv"
REQUIREMENTS = (REPOSITORY / "requirements.txt", REPOSITORY / "requirements-dev.txt")
"""What production runs on, and what the commands here need beyond that."""
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
"""Not -m: that would put the caller's folder in front of ours (python -P is 3.11 and newer)."""


def main(command: list[str]) -> int:
    """Goes on as the command."""
    if not fits():
        sys.path.insert(0, str(REPOSITORY))
        from ops.installer import install

        if code := install():
            return code
    paths = [str(REPOSITORY / "config"), str(REPOSITORY / "plugins"), str(REPOSITORY), os.environ.get("PYTHONPATH")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    python = str(VENV / "bin" / "python")
    os.execv(python, [python, "-c", START, *command])  # noqa: S606 - arguments from our own code and the caller


def fits() -> bool:
    """Whether .venv was made from these very lists."""
    return STAMP.exists() and STAMP.read_text() == wanted() and os.access(VENV / "bin" / "python", os.X_OK)


def wanted() -> str:
    """What the stamp of a fitting .venv holds."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in REQUIREMENTS)).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
