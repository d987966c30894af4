"""Locks between processes: the kernel lets go of them when their holder dies, however it dies."""

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
        """Waits until no one holds it exclusively."""
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)

    def take(self) -> None:
        """Waits until no one else holds it."""
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)

    def try_take(self) -> bool:
        """Takes it if no one else holds it; on failure a shared hold of ours is gone too: flock is no swap."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Lets go."""
        os.close(self.descriptor)


@contextmanager
def exclusive(path: Path) -> Iterator[Lock]:
    """Holds the lock alone for the length of the block."""
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
    """Waits until no one holds the lock; False when the time is up."""
    end = time.monotonic() + seconds
    while is_held(path):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
