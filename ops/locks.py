"""Locks between processes; the kernel releases them when their holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Lock:
    """An open lock file. Shared by many holders, or exclusive; released on close, or when the process is gone."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def share(self) -> None:
        """Takes it together with others; waits while it is held exclusively."""
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)

    def take(self) -> None:
        """Takes it exclusively; waits while anyone else holds it."""
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)

    def try_take(self) -> bool:
        """Takes it exclusively if no one else holds it. On failure our shared hold is lost too: flock does not swap."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Releases it."""
        os.close(self.descriptor)


@contextmanager
def exclusive(path: Path) -> Iterator[Lock]:
    """Holds the lock exclusively for the length of the block."""
    lock = Lock(path)
    try:
        lock.take()
        yield lock
    finally:
        lock.close()


def is_held(path: Path) -> bool:
    """Whether anyone holds the lock right now."""
    if not path.exists():
        return False
    lock = Lock(path)
    try:
        return not lock.try_take()
    finally:
        lock.close()


def wait_until_free(path: Path, seconds: float) -> bool:
    """Waits until no one holds the lock; False if it is still held after `seconds`."""
    end = time.monotonic() + seconds
    while is_held(path):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
