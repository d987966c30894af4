"""A mail server on loopback that delivers nothing: `python -m ops.mail_catcher FOLDER PORT`, one .eml file per mail."""

from __future__ import annotations

import itertools
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Caught:
    """One caught mail, as a list shows it."""

    file: Path
    to: str
    subject: str


def caught(folder: Path, since: float = 0.0) -> Iterator[Caught]:
    """The mails that were caught after a moment, in order."""
    for file in sorted(folder.glob("*.eml")):
        if file.stat().st_mtime >= since:
            message = message_from_bytes(file.read_bytes(), policy=default)
            yield Caught(file, str(message["To"]), str(message["Subject"]))


class _Catcher:
    """Stores each mail as a file whose name holds the time and a number only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{next(self._numbers):05d}"
        half = self._folder / f".{name}"
        half.write_bytes(envelope.content)
        half.rename(self._folder / f"{name}.eml")
        return "250 caught"


def main(folder: Path, port: int) -> None:
    """Serves until SIGTERM."""
    from aiosmtpd.controller import Controller

    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    controller = Controller(_Catcher(folder), hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    controller.start()
    try:
        stopped.wait()
    finally:
        controller.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
