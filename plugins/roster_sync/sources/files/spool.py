"""A distant file, copied once into an unnamed temporary file: as far as it was asked for, read by any thread."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable
from threading import Lock
from typing import Any, BinaryIO, Final, cast

from roster_sync.core.errors import FeedBroken, RosterError
from roster_sync.sources.files.stores import as_user_error

_CHUNK: Final = 1 << 20


class Spool:
    """Each byte travels once, however often the file is read: header, rows, and the rows again where need be."""

    def __init__(self, open_file: Callable[[], BinaryIO], label: str, expected: int | None, store: Lock) -> None:
        """Nothing is opened yet.

        Args:
            open_file: opens the file at its store.
            label: what it is called in messages.
            expected: its size, where the store gave it.
            store: held while the store is asked, since not every store can be asked by two threads.
        """
        self._open_file, self._label, self._expected, self._store = open_file, label, expected, store
        self._remote: BinaryIO | None = None
        self._copy = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - close() closes it
        self._size = 0
        self._is_whole = False
        self._fault: RosterError | None = None

    def reader(self) -> BinaryIO:
        """The file from its start; the caller closes it."""
        return cast(BinaryIO, io.BufferedReader(_Reader(self), _CHUNK))

    def read_at(self, offset: int, size: int) -> bytes:
        """The bytes of the range, after fetching what is not here yet."""
        while not self._is_whole and self._size < offset + size:
            self._take()
        return os.pread(self._copy.fileno(), size, offset)

    def size(self) -> int:
        """The whole size, after fetching all of it."""
        while not self._is_whole:
            self._take()
        return self._size

    def close(self) -> None:
        """Forgets the copy."""
        if self._remote is not None:
            self._remote.close()
        self._copy.close()

    def _take(self) -> None:
        with self._store:
            if self._fault is not None:
                raise self._fault
            if self._is_whole:
                return
            try:
                with as_user_error(self._label):
                    self._remote = self._remote or self._open_file()
                    data = self._remote.read(_CHUNK)
                    if data:
                        self._copy.write(data)
                        self._size += len(data)
                        return
                if self._expected is not None and self._size != self._expected:
                    raise FeedBroken(
                        f"{self._label} changed while it was read: let the upload end before the sync begins, and "
                        "start it again."
                    )
            except RosterError as fault:
                self._fault = fault
                raise
            self._is_whole = True


class _Reader(io.RawIOBase):
    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place}.get(whence)
        self._place = offset + (self._spool.size() if start is None else start)
        return self._place

    def readinto(self, buffer: Any) -> int:
        data = self._spool.read_at(self._place, len(buffer))
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)
