"""ROSTER_HOME: the folder of everything that a running project keeps, and its ports."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ops.console import Problem
from ops.locks import exclusive

REPOSITORY = Path(__file__).resolve().parents[1]

_FIRST_PORT, _BLOCK, _BLOCKS = 10_000, 10, 2_200
"""Blocks of ten ports from 10000 to 31999: below the ports that Linux gives to outgoing connections."""


@dataclass(frozen=True)
class Home:
    """One ROSTER_HOME. Two of them share nothing: the ports follow a hash of the path."""

    folder: Path

    @classmethod
    def from_environment(cls) -> Home:
        """The home that ROSTER_HOME names, `var/` in the repository if it is not set; made if missing."""
        home = cls(Path(os.environ.get("ROSTER_HOME") or REPOSITORY / "var").expanduser().resolve())
        home.make()
        return home

    def make(self) -> None:
        """Makes the folder for us alone; root lets others pass through it, because the database's system user must."""
        if self.folder.exists() and self.folder.stat().st_uid != os.geteuid():
            raise Problem(
                f"The folder {self.folder} belongs to someone else: run this as its owner, or set ROSTER_HOME."
            )
        try:
            for part in (self.folder, self.run, self.airflow, self.mail, self.logs):
                part.mkdir(parents=True, exist_ok=True)
                part.chmod(0o700)
            if os.geteuid() == 0:
                self.folder.chmod(0o711)
                self.run.chmod(0o711)
        except OSError as error:
            raise Problem(
                f"The folder {self.folder} cannot be used ({error.strerror}): set ROSTER_HOME to one that you own."
            ) from error

    @property
    def run(self) -> Path:
        """Locks, process ids, stamps, the database's socket."""
        return self.folder / "run"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME."""
        return self.folder / "airflow"

    @property
    def mail(self) -> Path:
        """The mails that the local mail catcher caught."""
        return self.folder / "mail"

    @property
    def logs(self) -> Path:
        """The logs of the processes that we start."""
        return self.folder / "logs"

    @property
    def postgres(self) -> Path:
        """The embedded cluster, or a link to it."""
        return self.folder / "postgres"

    @cached_property
    def digest(self) -> str:
        """A short name for this home that no other home has."""
        return hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]

    @cached_property
    def port_base(self) -> int:
        """The first of this home's ten ports: ROSTER_PORT_BASE, else an earlier choice, else by a hash of the path."""
        given = os.environ.get("ROSTER_PORT_BASE", "")
        if given:
            if not given.isdecimal() or not 1024 <= int(given) <= 65_526:
                raise Problem("ROSTER_PORT_BASE must be a port from 1024 to 65526; it and the nine after it are used.")
            return int(given)
        chosen = self.run / "port-base"
        if chosen.exists():
            return int(chosen.read_text())
        return _FIRST_PORT + int(self.digest, 16) % _BLOCKS * _BLOCK

    def choose_ports(self) -> None:
        """Chooses the next free block of ports and records it, if another program uses one of ours."""
        if "ROSTER_PORT_BASE" in os.environ:
            return
        start = (self.port_base - _FIRST_PORT) // _BLOCK
        for step in range(_BLOCKS):
            base = _FIRST_PORT + (start + step) % _BLOCKS * _BLOCK
            if all(is_free(port) for port in range(base, base + _BLOCK)):
                (self.run / "port-base").write_text(str(base))
                self.__dict__["port_base"] = base
                return
        raise Problem("No ten free ports in a row were found: set ROSTER_PORT_BASE.")

    @property
    def api_port(self) -> int:
        """Airflow's pages and API."""
        return self.port_base

    @property
    def worker_log_port(self) -> int:
        """Where LocalExecutor serves the logs of running tasks."""
        return self.port_base + 1

    @property
    def trigger_log_port(self) -> int:
        """Where the triggerer serves its logs."""
        return self.port_base + 2

    @property
    def mail_port(self) -> int:
        """The local mail catcher."""
        return self.port_base + 3

    @property
    def oneroster_port(self) -> int:
        """The simulated servers, OneRoster's and Clever's."""
        return self.port_base + 4

    def secret(self, name: str) -> str:
        """A generated secret: made once, stored in a file that only we can read."""
        folder = self.folder / "secrets"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        path = folder / name
        if not path.exists():
            with exclusive(self.run / "secrets.lock"):
                if not path.exists():
                    write_private(path, secrets.token_urlsafe(64))
        return path.read_text()


def write_private(path: Path, text: str) -> None:
    """Writes a file that only we can read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
