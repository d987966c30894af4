"""Makes .venv from both locked lists, on a leash. Run by any python3; standard library only."""

from __future__ import annotations

import fcntl
import importlib.util
import re
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path
from types import FrameType
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ops import supervisor
from ops.launcher import REPOSITORY, REQUIREMENTS, STAMP, VENV, fits, wanted

_BROKEN = re.compile(r"after connection broken by ['\"](\w+)")
"""How pip tells, before it gives up, why a connection failed."""


class Stopped(BaseException):
    """SIGTERM or SIGHUP came."""


def install() -> int:
    """Makes .venv, or waits for another command that does; returns an exit code.

    On a leash that keeps the lock: whatever happens to us, no pip goes on beside the next command's.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        with open(REPOSITORY / ".venv.lock", "w") as lock:
            if not _try(lock.fileno()):
                _say("another command is making .venv; waiting for it ...")
                fcntl.flock(lock, fcntl.LOCK_EX)
            return 0 if fits() else _on_a_leash([sys.executable, __file__], lock.fileno())
    except OSError as error:
        _say(f".venv cannot be made: {reason(error)}")
        return 1
    except (KeyboardInterrupt, Stopped):
        _say("stopped; the next command installs the packages anew")
        return 130


def main() -> int:
    """What runs on the leash. Prints one line on what is wrong."""
    try:
        _make()
    except (OSError, subprocess.CalledProcessError) as error:
        _say(f".venv cannot be made: {reason(error)}")
        return 1
    return 0


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped


def _on_a_leash(command: list[str], held: int) -> int:
    process = subprocess.Popen(
        [sys.executable, supervisor.__file__, *command], stdin=subprocess.PIPE, start_new_session=True, pass_fds=[held]
    )
    try:
        return process.wait()
    except BaseException:
        process.communicate()  # closes its input, and waits until nothing of it is left
        raise


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
    fetch([python, "-m", "pip", *tail] if with_pip else [sys.executable, "-m", "pip", "--python", python, *tail])
    STAMP.write_text(wanted())
    _say(f"installed in {time.monotonic() - started:.0f} s")


def fetch(command: list[str]) -> None:
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


def reason(error: OSError | subprocess.CalledProcessError) -> str:
    """What is wrong, and what to do about it."""
    if isinstance(error, PermissionError):
        return f"{error.filename} may not be written: run this as the owner of {REPOSITORY}, or in a copy of your own."
    if isinstance(error, OSError):
        return str(error)
    output = error.output.decode(errors="replace") if isinstance(error.output, bytes) else str(error.output or "")
    if broken := _BROKEN.search(output):
        return (
            f"the package index cannot be reached ({broken[1]}): mend the network or the proxy settings (HTTPS_PROXY), "
            "or name another index (PIP_INDEX_URL), and run this again."
        )
    told = [line for line in output.splitlines() if line.startswith("ERROR")] or output.splitlines()[-1:]
    return told[0] if told else f"pip ended with {error.returncode}"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
