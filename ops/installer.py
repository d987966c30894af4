"""Makes .venv from both locked lists, with uv. Run by any python3; standard library only."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ops import supervisor
from ops.console import progress, say
from ops.launcher import REPOSITORY, REQUIREMENTS, STAMP, VENV, current_stamp, is_current
from ops.locks import Lock

UV: Final = "uv==0.13.9"
"""It installs the locked packages in a tenth of pip's time (docs/adr/0020). pip fetches it: any Python has pip."""
UV_NAMES: Final = {
    "index-url": "UV_INDEX_URL",
    "extra-index-url": "UV_EXTRA_INDEX_URL",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}
"""pip's settings and what uv, which does not read them, calls the same."""
_NETWORK = re.compile(r"connection broken by ['\"](\w+)|error sending request|error decoding response")
"""How pip and uv report a download that failed because of the network."""


class Stopped(BaseException):
    """SIGTERM or SIGHUP came."""


def install() -> int:
    """Makes .venv, or waits for another command that does; returns an exit code.

    Under a supervisor that keeps the lock: however we end, no installation goes on while the next command starts one.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        with closing(Lock(REPOSITORY / ".venv.lock")) as lock:
            if not lock.try_take():
                say("another command is making .venv; waiting for it ...")
                lock.take()
            return 0 if is_current() else _supervised([sys.executable, __file__], lock)
    except OSError as error:
        say(f".venv cannot be made: {reason(error)}")
        return 1
    except (KeyboardInterrupt, Stopped):
        say("stopped; the next command starts the installation again")
        return 130


def main() -> int:
    """What runs under the supervisor. Prints one line if something is wrong."""
    try:
        _make()
    except (OSError, subprocess.CalledProcessError) as error:
        say(f".venv cannot be made: {reason(error)}")
        return 1
    return 0


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped


def _supervised(command: list[str], lock: Lock) -> int:
    process = supervisor.start(command, held=[lock.descriptor])
    try:
        return process.wait()
    except BaseException:
        process.communicate()  # closes its input, and waits until none of its processes is left
        raise


def _make() -> None:
    started = time.monotonic()
    with_pip = importlib.util.find_spec("ensurepip") is not None
    if not with_pip and importlib.util.find_spec("pip") is None:
        raise OSError(
            "this python3 has neither ensurepip nor pip: install them (Debian, Ubuntu: apt-get install python3-venv)"
        )
    if VENV.is_symlink():
        raise OSError(f"it is a link to {VENV.resolve()}, which other checkouts use: make it there, or remove the link")
    with progress("installing the locked packages into .venv, once", after=0):
        fetch([sys.executable, "-m", "venv", "--clear", *([] if with_pip else ["--without-pip"]), str(VENV)])
        python = str(VENV / "bin" / "python")
        pip = [python, "-m", "pip"] if with_pip else [sys.executable, "-m", "pip", "--python", python]
        fetch([*pip, "install", "--disable-pip-version-check", "--no-input", "--only-binary=:all:", UV])
        settings = uv_settings(fetch([*pip, "config", "list"]))
        # Everything is locked: no resolver is needed, and as with pip any index may have the version.
        command = [str(VENV / "bin" / "uv"), "pip", "install", "--no-deps", "--index-strategy=unsafe-best-match"]
        if not os.access(os.path.expanduser("~"), os.W_OK):
            command.append("--no-cache")
        fetch([*command, "--python", python, *(f"--requirements={path}" for path in REQUIREMENTS)], settings)
    STAMP.write_text(current_stamp())
    say(f"installed in {time.monotonic() - started:.0f} s")


def fetch(command: list[str], settings: dict[str, str] | None = None) -> str:
    """Runs venv, pip or uv and returns what it printed, which is shown only if it fails."""
    return subprocess.run(
        command,
        cwd=REPOSITORY,  # uv looks for settings in the current folder
        env={**(settings or {}), **os.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    ).stdout


def uv_settings(configured: str) -> dict[str, str]:
    """The user's settings of pip (`pip config list`: files and PIP_... variables) under uv's names."""
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):  # the later one wins
        for name, value in re.findall(rf"^{section}\.([\w-]+)=(.+)$", configured, re.MULTILINE):
            if name in UV_NAMES:
                found[UV_NAMES[name]] = " ".join(str(ast.literal_eval(value)).split())
    if "UV_FIND_LINKS" in found:
        found["UV_FIND_LINKS"] = found["UV_FIND_LINKS"].replace(" ", ",")
    return found


def reason(error: OSError | subprocess.CalledProcessError) -> str:
    """What is wrong, and what to do about it."""
    if isinstance(error, PermissionError):
        return f"{error.filename} may not be written: run this as the owner of {REPOSITORY}, or in a copy of your own."
    if isinstance(error, OSError):
        return str(error)
    lines = [line.strip() for line in str(error.output or "").splitlines() if line.strip()]
    causes = [line.removeprefix("cause: ") for line in lines if line.startswith("cause: ")][-1:]
    if broken := _NETWORK.search("\n".join(lines)):
        return (
            f"the packages cannot be downloaded ({(causes or [broken[1]])[0]}): check the network and the proxy "
            "settings (HTTPS_PROXY), or name another package index (PIP_INDEX_URL), and run this again."
        )
    reported = [line for line in lines if line.lower().startswith("error")][:1] or lines[-1:]
    return ": ".join(reported + causes) or f"{error.cmd[0]} ended with {error.returncode}"


if __name__ == "__main__":
    sys.exit(main())
