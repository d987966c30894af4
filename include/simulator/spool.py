"""Serialized records in a temporary file: a page is one read, whatever the collection's size."""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Sequence


class Spool:
    """Records as they go over the wire, written once, read by position from many threads."""

    def __init__(self, records: Iterable[bytes]) -> None:
        """Writes the records."""
        self._file = tempfile.TemporaryFile(prefix="simulator-", buffering=1 << 20)  # noqa: SIM115 - lives as long as self
        weakref.finalize(self, self._file.close)
        self._offsets = array("q", [0])
        position = 0
        for record in records:
            self._file.write(record)
            self._file.write(b",")
            position += len(record) + 1
            self._offsets.append(position)
        self._file.flush()

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def one(self, position: int) -> bytes:
        """One record."""
        return self.slice(position, position + 1)

    def slice(self, first: int, end: int) -> bytes:
        """The records from `first` up to `end`, separated by commas."""
        first, end = max(0, first), min(len(self), end)
        if first >= end:
            return b""
        start = self._offsets[first]
        return os.pread(self._file.fileno(), self._offsets[end] - start - 1, start)

    def pick(self, positions: Sequence[int]) -> bytes:
        """The records at these positions, separated by commas."""
        return b",".join([self.one(position) for position in positions])
