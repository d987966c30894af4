"""Makes .venv from both locked lists where it is missing or does not fit. Run by any python3; standard library only."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import time
import venv
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
VENV = REPOSITORY / ".venv"
REQUIREMENTS = (REPOSITORY / "requirements.txt", REPOSITORY / "requirements-dev.txt")
"""What production runs on, and what the commands here need beyond that."""


def main() -> int:
    """Does nothing where the stamp fits; else installs. Prints one line on what is wrong."""
    if _fits():
        return 0
    with open(REPOSITORY / ".venv.lock", "w") as lock:
        if not _try(lock.fileno()):
            _say("another command is making .venv; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if _fits():
            return 0
        try:
            _make()
        except (OSError, subprocess.CalledProcessError) as error:
            _say(f"making .venv failed: {_reason(error)}")
            return 1
    return 0


def _fits() -> bool:
    stamp = VENV / ".roster-stamp"
    return stamp.exists() and stamp.read_text() == _wanted() and os.access(VENV / "bin" / "python", os.X_OK)


def _wanted() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in REQUIREMENTS)).hexdigest()


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make() -> None:
    started = time.monotonic()
    names = {name for path in REQUIREMENTS for name in re.findall(r"^[\w.-]+", path.read_text(), re.MULTILINE)}
    _say(f"installing the locked packages into .venv, once: about {len(names)}, one to three minutes ...")
    with_pip = importlib.util.find_spec("ensurepip") is not None
    if not with_pip and importlib.util.find_spec("pip") is None:
        raise OSError(
            "this python3 has neither ensurepip nor pip: install them (Debian, Ubuntu: apt-get install python3-venv)"
        )
    venv.EnvBuilder(clear=True, with_pip=with_pip).create(VENV)
    python = str(VENV / "bin" / "python")
    # Everything is locked, so pip's resolver has nothing to find out: --no-deps halves the time.
    tail = ["--disable-pip-version-check", "--no-input", "install", "--no-deps"]
    tail += [part for path in REQUIREMENTS for part in ("-r", str(path))]
    _install([python, "-m", "pip", *tail] if with_pip else [sys.executable, "-m", "pip", "--python", python, *tail])
    (VENV / ".roster-stamp").write_text(_wanted())
    _say(f"installed in {time.monotonic() - started:.0f} s")


def _install(command: list[str]) -> None:
    """Runs pip and says now and then how far it is; its own words are shown only when it fails."""
    lines: list[str] = []
    last, collected = time.monotonic(), 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout or ():
            lines.append(line.rstrip())
            collected += line.startswith("Collecting ")
            if line.startswith("Installing collected packages"):
                _say("  all fetched; installing ...")
            elif time.monotonic() - last > 5:
                last = time.monotonic()
                _say(f"  {collected} packages fetched ...")
    if pip.returncode != 0:
        raise subprocess.CalledProcessError(pip.returncode, command, output="\n".join(lines))


def _reason(error: OSError | subprocess.CalledProcessError) -> str:
    if isinstance(error, OSError):
        return str(error)
    output = error.output.decode(errors="replace") if isinstance(error.output, bytes) else str(error.output or "")
    told = [line for line in output.splitlines() if line.startswith("ERROR")] or output.splitlines()[-1:]
    return told[0] if told else f"pip ended with {error.returncode}"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
