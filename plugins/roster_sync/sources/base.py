"""What every source is: two methods, probe and fetch, and the sink into which a roster flows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol, runtime_checkable


class CopyRefused(Exception):
    """PostgreSQL could not take the file's bytes as they are: read the file again, line by line."""


class Sink(Protocol):
    """Where a source puts what it reads. Collections and columns are those of `vocabulary.COLLECTIONS`."""

    def copy_csv(self, collection: str, columns: Sequence[str | None], stream: BinaryIO) -> int:
        """Takes the raw CSV bytes that follow the header; `columns` names each CSV column, None = not kept.

        Returns the rows taken; a line of nothing but commas is not a row.
        Raises CopyRefused with nothing of this call kept.
        """

    def copy_rows(self, collection: str, columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> int:
        """Takes rows of text. A value that holds a NUL costs its row, as a finding. Returns the rows taken."""

    def reject(
        self,
        collection: str,
        rule: str,
        message: str,
        *,
        source_id: str | None = None,
        line: int | None = None,
        known: Mapping[str, str] | None = None,
    ) -> None:
        """Reports a record that could not be read at all; it counts as seen. Never called while a copy is at work.

        Args:
            collection: the collection that it was in.
            rule: a short snake_case name: ragged_line, blank_line, nul_byte, bad_utf8, unclosed_quote ...
            message: what is wrong and how to correct it at the source; never a value.
            source_id: its id, where that is beyond doubt. Without it and without `known`, any row of the collection
                may be the one, so none of them is proved gone.
            line: its line in the file.
            known: those of its columns that could be read, such as class_source_id. An empty mapping says that the
                record names nothing at all (a blank line), so it protects nothing.
        """  # fmt: skip

    def discard(self) -> None:
        """Forgets everything taken so far: the source changed while it was read, and is read again."""

    def enrollments_sink(self) -> AbstractContextManager[Sink]:
        """A sink for the enrollments alone, for a second thread. What it took counts if the block ends well."""

    def others_are_in(self, report: FeedReport) -> None:
        """Says that all but the enrollments are in, so that work on them may begin. Optional; `discard` undoes it.

        Args:
            report: its issuer, and the collections that are in.
        """


@dataclass
class CollectionReport:
    """What came of one collection."""

    received: int = 0
    expected: int | None = None
    """The source's own total, where it gives one."""
    is_complete: bool = False
    """Every page read, totals met, bulk and not delta: a missing row is really missing."""
    reason: str = ""
    """Why it is not complete, in a sentence; empty where it is."""


@dataclass
class FeedReport:
    """What a fetch reports besides its rows."""

    issuer: str
    """Who gave the ids: the source's kind and host or tenant, e.g. 'oneroster:roster.example.org/ims'."""
    collections: dict[str, CollectionReport] = field(default_factory=dict)
    """Keys of vocabulary.COLLECTIONS. A collection that is not here was not shared at all."""
    revision: str | None = None
    """The source's own mark of its data (x-perm-rev, last_sync), the same before and after the read."""
    adds_only: str = ""
    """Why nothing may be removed in this run (paused, kept moving), in a sentence; empty = the proofs decide."""
    requests: int = 0
    event_id: str | None = None
    """Clever: the newest event before a full read, or the last one of a partial feed: where events are read on from."""
    is_partial: bool = False
    """Only what changed: that something is named and did not come says nothing, not even that it is missing."""


@dataclass
class ProbeStep:
    """One step of 'Test connection'."""

    name: str
    is_ok: bool
    message: str
    """Plain words; where it failed, the likely cause and what to do."""


@dataclass
class ProbeReport:
    """What 'Test connection' found, and whether a run may start now."""

    steps: list[ProbeStep] = field(default_factory=list)
    issuer: str = ""
    state: str = "ready"
    """ready | running | paused | pending | error, as the source says of itself."""
    reason: str = ""
    """The state in plain words."""
    schools: list[tuple[str, str]] = field(default_factory=list)
    """(source_id, name) of every school shared, as far as the probe read them."""
    data_as_of: str | None = None
    """ISO time of the source's own last update, where it says so."""

    @property
    def is_ok(self) -> bool:
        """True where every step went well."""
        return all(step.is_ok for step in self.steps)


class Source(Protocol):
    """A district's roster at its source."""

    def probe(self) -> ProbeReport:
        """Asks little and reports step by step whether a sync would work; never raises for what the source says."""

    def fetch(self, sink: Sink) -> FeedReport:
        """Streams the whole roster into the sink, memory flat. Raises errors.SourceError or SourceNotReady."""


class EventSource(Source, Protocol):
    """A source of what changed since an event; its rows are added or updated, never removed."""

    def has_news(self) -> bool:
        """Whether anything happened since then; asks as little as it can. Raises errors.SourceError."""


@runtime_checkable
class Askable(Protocol):
    """A source that can be asked for single records (OneRoster REST, Clever; not files)."""

    def is_live(self, collection: str, source_id: str) -> bool | None:
        """True: still there; False: gone (404 or tobedeleted); None: cannot be known. `orgs` and `users` only.

        Many may be asked for one after another, so each is waited for but shortly, as for a person.

        Raises:
            SourceError: the source failed at it.
        """


@dataclass(frozen=True)
class Access:
    """What a connection holds: where a source is and how it lets us in. Its repr shows no secret."""

    host: str = ""
    """The address as the connection gives it, with or without a scheme."""
    login: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False)
