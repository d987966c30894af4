"""Long-running programs of the demo: started on a leash, their words in a log file, stopped together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.console import Problem, progress
from ops.home import REPOSITORY

_STOP_SECONDS = 40.0


@dataclass(frozen=True)
class Service:
    """A running program."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]

    def check(self) -> None:
        """Raises if it has ended."""
        code = self.process.poll()
        if code is not None:
            raise Problem(f"{self.name} ended with {code}; what it said is in {self.log}.")

    def let_go(self) -> None:
        """Tells it to end; does not wait."""
        if self.process.stdin is not None:
            self.process.stdin.close()


class Services:
    """All programs of one demo."""

    def __init__(self, logs: Path, held: Sequence[int] = ()) -> None:
        """The programs keep the open files `held` (locks) until they are gone."""
        self.logs = logs
        self._held = tuple(held)
        self._running: list[Service] = []

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        """Starts a program."""
        log = self.logs / f"{name}.log"
        with open(log, "ab") as output:
            process = subprocess.Popen(
                [sys.executable, str(REPOSITORY / "ops" / "supervisor.py"), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=REPOSITORY,
                start_new_session=True,  # Ctrl-C reaches us only, and we end them in order
                pass_fds=self._held,
            )
        self._running.append(Service(name, log, process))

    def check(self) -> None:
        """Raises if one of them has ended."""
        for service in self._running:
            service.check()

    def stop(self) -> None:
        """Ends all of them, at the same time."""
        with progress("stopping"):
            for service in self._running:
                service.let_go()
            for service in self._running:
                try:
                    service.process.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    service.process.kill()
        self._running.clear()


@contextmanager
def services(logs: Path, held: Sequence[int] = ()) -> Iterator[Services]:
    """Programs for the length of the block."""
    group = Services(logs, held)
    try:
        yield group
    finally:
        group.stop()
