"""Makes, starts and stops the embedded server with PostgreSQL's own programs, as the user that it runs as."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Mapping

from ops.console import Problem
from ops.postgres.layout import Layout, write_settings

SUPERUSER = "postgres"
_MADE = "roster-made"
"""A file that is written after initdb: without it the cluster is incomplete."""


def start(layout: Layout, extra_settings: Mapping[str, str]) -> None:
    """Starts the server; makes the cluster first if there is none."""
    if not (layout.data / _MADE).exists():
        _make(layout)
    write_settings(layout, extra_settings)
    log = layout.data / "server.log"
    for attempt in range(20):
        try:
            _pg_ctl(layout, "start", "-w", "-t", "120", "-l", str(log))
        except subprocess.CalledProcessError as error:
            # after kill -9 of the postmaster its children need a moment to end
            if attempt == 19 or "still in use" not in log.read_text(errors="replace")[-2000:]:
                raise Problem(f"PostgreSQL does not start; its log is {log}.") from error
            time.sleep(0.5)
        else:
            return


def stop(layout: Layout) -> None:
    """Stops the server, if it runs."""
    if (layout.data / "postmaster.pid").exists():
        _pg_ctl(layout, "stop", "-m", "fast", "-w", "-t", "60", check=False)


def _make(layout: Layout) -> None:
    for left in layout.data.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    login = ["--username", SUPERUSER, "--auth=peer", "--no-instructions"]
    try:
        _as_server(layout, [str(layout.bin / "initdb"), "--pgdata", str(layout.data), *locale, *login])
    except subprocess.CalledProcessError as error:
        last = error.output.decode(errors="replace").strip().splitlines()[-1:]
        raise Problem(f"PostgreSQL's files cannot be made in {layout.data}: {' '.join(last)}") from error
    (layout.data / _MADE).touch()


def _pg_ctl(layout: Layout, *arguments: str, check: bool = True) -> None:
    _as_server(layout, [str(layout.bin / "pg_ctl"), "-D", str(layout.data), "-s", *arguments], check=check)


def _as_server(layout: Layout, command: list[str], *, check: bool = True) -> None:
    """Runs one of PostgreSQL's programs as the user that the server runs as, with a bare environment."""
    # The output goes to a file: the server would inherit a pipe, and reading it to its end would wait for the server.
    with open(layout.messages, "w+b") as messages:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=messages,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            check=False,
            **layout.identity(),
        )
        messages.seek(0)
        if check and done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, command, output=messages.read())
