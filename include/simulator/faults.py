"""Faults of a source: which requests fail, and how."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, Final

KINDS: Final = {
    "status": "an error status, by default 500; with `retry_after` the header Retry-After",
    "slow": "the reply comes after `seconds`",
    "truncated": "the body ends in the middle, although Content-Length says otherwise",
    "garbled": "the body is cut but Content-Length agrees: no valid JSON",
    "html": "200 with an HTML page instead of JSON",
    "drop": "the connection closes without a reply",
    "expired_token": "every token issued so far stops working, this request's too",
    "moved": "the data changes before this reply: the next day, another revision, other totals",
    "revision": "only the source's own revision mark changes (x-perm-rev, last_sync); the data stay",
    "empty": "200 with no records in its envelope; totals stay",
    "no_envelope": "200 without the key that holds the records",
    "wrong_total": "the total is off by `by` (default 7)",
    "same_page": "the first page, whatever was asked for",
    "duplicate": "the first record of the page is the last record of the page before",
    "skipped": "the first record of the page is left out",
    "foreign_link": "the link to the next page leads to another host",
    "circular_link": "there is always a link to a next page: from the third page on it leads back to the second",
}
"""Every kind of fault, and what it does."""


@dataclass
class Fault:
    """One fault."""

    kind: str
    path: str = "*"
    """A pattern (as of file names) for the path without the district's prefix; `*` crosses slashes."""
    nth: int | tuple[int, ...] | None = None
    """Hits the n-th matching request, counted from 1; several by a tuple."""
    every: int | None = None
    """Hits every k-th matching request."""
    times: int | None = None
    """Hits at most this many requests."""
    status: int = 500
    retry_after: str | None = None
    seconds: float = 1.0
    by: int = 7
    match: str = ""
    """Only requests whose path and query contain this text, e.g. 'offset=100' or 'role=student'."""
    seen: int = field(default=0, init=False)
    hits: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no fault {self.kind!r}; known are {', '.join(KINDS)}.")

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Fault:
        """A fault from JSON or YAML; raises ValueError for unknown keys."""
        known = {item.name for item in fields(cls) if item.init}
        if unknown := set(settings) - known:
            raise ValueError(f"A fault has no {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}.")
        values = dict(settings)
        if isinstance(values.get("nth"), list):
            values["nth"] = tuple(values["nth"])
        return cls(**values)

    def strikes(self, path: str, query: str) -> bool:
        """Counts a request and says whether it is hit."""
        if not fnmatchcase(path, self.path) or self.match not in f"{path}?{query}":
            return False
        self.seen += 1
        if self.times is not None and self.hits >= self.times:
            return False
        numbers = (self.nth,) if isinstance(self.nth, int) else self.nth
        is_hit = self.seen in numbers if numbers is not None else self.every is None or self.seen % self.every == 0
        self.hits += is_hit
        return is_hit


class Faults:
    """The faults of one district's server."""

    def __init__(self) -> None:
        """No faults at first."""
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        """Adds a fault."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Removes all faults."""
        with self._lock:
            self._faults.clear()

    def striking(self, path: str, query: str) -> dict[str, Fault]:
        """The faults that hit this request, by kind."""
        with self._lock:
            return {fault.kind: fault for fault in self._faults if fault.strikes(path, query)}

    def describe(self) -> list[dict[str, Any]]:
        """What is set, and how often it has hit."""
        with self._lock:
            return [{"kind": f.kind, "path": f.path, "seen": f.seen, "hits": f.hits} for f in self._faults]
