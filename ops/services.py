"""Long-running programs: each under a supervisor, its output in a log file, all stopped together."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops import supervisor
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
        """Raises Problem if it has ended."""
        code = self.process.poll()
        if code is not None:
            raise Problem(f"{self.name} ended with {code}; its output is in {self.log}.")

    def begin_to_stop(self) -> None:
        """Asks it to end; does not wait."""
        if self.process.stdin is not None:
            self.process.stdin.close()


class Services:
    """The programs of one command."""

    def __init__(self, logs: Path, held: Sequence[int] = ()) -> None:
        """The programs keep the open files `held` (locks) until they are gone."""
        self.logs = logs
        self._held = tuple(held)
        self._running: list[Service] = []

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        """Starts a program."""
        log = self.logs / f"{name}.log"
        with open(log, "ab") as output:
            process = supervisor.start(
                command, held=self._held, environment=environment, folder=REPOSITORY, output=output
            )
        self._running.append(Service(name, log, process))

    def check(self) -> None:
        """Raises Problem if one of them has ended."""
        for service in self._running:
            service.check()

    def stop(self) -> None:
        """Ends all of them, at the same time."""
        with progress("stopping"):
            for service in self._running:
                service.begin_to_stop()
            for service in self._running:
                try:
                    service.process.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    service.process.kill()
        self._running.clear()


@contextmanager
def services(logs: Path, held: Sequence[int] = ()) -> Iterator[Services]:
    """Programs that run for the length of the block."""
    group = Services(logs, held)
    try:
        yield group
    finally:
        group.stop()
