"""Clever's events: what changed since the last one read, in order, as rows to add or update; never to remove."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from roster_sync.config.districts import SourceSettings
from roster_sync.core.errors import SourceError, SourceNotReady
from roster_sync.core.vocabulary import COLLECTIONS
from roster_sync.sources.base import Access, CollectionReport, FeedReport, ProbeReport, ProbeStep, Sink
from roster_sync.sources.clever import mapping as mapping
from roster_sync.sources.clever.api import CleverApi, ListRead
from roster_sync.sources.clever.mapping import Record, Row
from roster_sync.sources.clever.reading import batches
from roster_sync.sources.http.json_text import as_list, as_mapping, as_text

log = logging.getLogger(__name__)

KEPT: Final = timedelta(days=30)
"""How long Clever keeps events: after a longer gap some are lost, and only a full read tells the truth."""
MOST: Final = 25_000
"""Records that are held at a time, a few kilobytes each; where more changed, a full read is quicker."""
_WAIT: Final = "the nightly full read comes first."
ADDS_ONLY: Final = "Events only add and update: what is gone is found by the nightly full read."

_LISTS: Final[dict[str, tuple[str, Callable[[Record], Row]]]] = {
    "schools": ("orgs", mapping.school_row),
    "terms": ("terms", mapping.term_row),
    "courses": ("courses", mapping.course_row),
}
"""Short lists, read whole along with the events: what people and sections name is then there."""


def newest_event(api: CleverApi) -> str | None:
    """The newest event's id, None where nothing happened: asked before a full read, for the events after it.

    `ending_before=last` is not in the reference, so whatever it gives is followed to the end.
    """
    newest = ""
    reply = api.newest("/events")
    for item in as_list(reply.get("data")):
        newest = as_text(as_mapping(as_mapping(item).get("data")).get("id")) or newest
    start = {"starting_after": newest} if newest else {}
    for event in api.records("/events", ListRead(), **start):
        newest = as_text(event.get("id")) or newest
    return newest or None


class CleverEvents:
    """A source (base.Source) of what changed at one district since an event; the full read stays the truth."""

    def __init__(
        self,
        settings: SourceSettings,
        access: Access,
        _district_key: str = "",
        *,
        since_id: str = "",
        since: datetime | None = None,
        **options: Any,
    ) -> None:
        """Asks nothing yet.

        Args:
            settings: as of `clever.Clever`.
            access: as of `clever.Clever`.
            since_id: the last event that was applied, or the newest one before the last full read.
            since: when that was; without it nothing is read.
            options: keyword arguments of CleverApi and Session, for tests.
        """
        self._api = CleverApi(access, settings, **options)
        self._clock: Callable[[], float] = options.get("clock", time.time)
        self._since = since
        self.last_id = since_id
        """The newest event read: where the next reading begins. It moves only when `fetch` has ended well."""
        self.skipped: dict[str, int] = {}
        """Events passed over, by type: deletions, contacts, what is not mapped."""

    def has_news(self) -> bool:
        """Whether anything happened since the last event read; one small request.

        Raises:
            SourceNotReady: the last event read is too old or unknown.
            SourceError: Clever refused, did not answer, or gave no events.
        """
        self._refuse_gap()
        return bool(self._api.page("/events", starting_after=self.last_id, limit="1")["data"])

    def probe(self) -> ProbeReport:
        """Whether events can be read; that they are switched on cannot be seen from an empty list."""
        report = ProbeReport()
        try:
            district = self._api.district()
            self._api.page("/events", limit="1")
        except SourceError as error:
            report.steps.append(ProbeStep("Events", False, str(error)))
            return report
        report.issuer, report.state, report.reason = f"clever:{district.id}", district.state, district.reason
        report.steps.append(ProbeStep("Events", True, "Events can be read."))
        return report

    def fetch(self, sink: Sink) -> FeedReport:
        """Gives the sink what was created or updated since the last event, the newest state of each record once.

        Raises:
            SourceNotReady: the district cannot be read now, or there is a doubt and the full read must come first.
            SourceError: Clever refused, did not answer, or gave no events.
        """
        self._refuse_gap()
        district = self._api.district()
        if district.state in ("pending", "error", "running"):
            raise SourceNotReady(district.reason)
        list_read = ListRead()
        changed, last_id = self._collect(list_read)
        if list_read.problem:
            raise SourceNotReady(f"{list_read.problem} So {_WAIT}")
        report = FeedReport(
            f"clever:{district.id}", revision=last_id, adds_only=ADDS_ONLY, event_id=last_id, is_partial=True
        )
        sink.copy_rows("orgs", COLLECTIONS["orgs"], [mapping.district_row(district)])
        if len(changed):
            self._read_lists(sink, report)
        for collection, rows in changed.rows():
            sink.copy_rows(collection, COLLECTIONS[collection], rows)
            report.collections.setdefault(collection, CollectionReport(reason=ADDS_ONLY)).received += len(rows)
        report.requests = self._api.requests
        self.last_id = last_id
        log.info("%s: %s events, %s records; left to the full read: %s", self._api.host, list_read.received,
                 len(changed), self.skipped or "none")  # fmt: skip
        return report

    def _refuse_gap(self) -> None:
        now = datetime.fromtimestamp(self._clock(), timezone.utc)
        if not self.last_id or self._since is None or now - self._since >= KEPT:
            raise SourceNotReady(f"The last event read is 30 days old or unknown, so some may be lost: {_WAIT}")

    def _read_lists(self, sink: Sink, report: FeedReport) -> None:
        for name, (collection, row) in _LISTS.items():
            list_read = ListRead()
            rows = [row(record) for record in self._api.records(f"/{name}", list_read)]
            if list_read.problem:
                raise SourceNotReady(f"{list_read.problem} So {_WAIT}")
            sink.copy_rows(collection, COLLECTIONS[collection], rows)
            report.collections[collection] = CollectionReport(len(rows), is_complete=True)

    def _collect(self, list_read: ListRead) -> tuple[_Changed, str]:
        """What changed, and the last event's id."""
        changed = _Changed()
        last_id = self.last_id
        for event in self._api.records("/events", list_read, starting_after=self.last_id):
            event_id, kind = as_text(event.get("id")) or "", as_text(event.get("type")) or ""
            if event_id <= last_id:
                raise SourceNotReady(f"The events did not come in their order: {_WAIT}")
            last_id = event_id
            name, _, what = kind.partition(".")
            record = as_mapping(as_mapping(event.get("data")).get("object"))
            changed.forget(name, as_text(record.get("id")) or "")
            if what not in ("created", "updated") or not changed.take(name, record):
                # What is deleted, and perhaps was changed before, is for the full read to tell.
                self.skipped[kind] = self.skipped.get(kind, 0) + 1
            if len(changed) > MOST:
                raise SourceNotReady(f"More than {MOST} records changed: {_WAIT}")
        return changed, last_id


@dataclass
class _Changed:
    """The newest state of each record, in the order of the events; only what is mapped of it."""

    people: dict[str, Row] = field(default_factory=dict)
    sections: dict[str, Record] = field(default_factory=dict)
    listed: set[tuple[str, str]] = field(default_factory=set)
    """Records of the lists that are read whole: only that they changed."""

    def __len__(self) -> int:
        return len(self.people) + len(self.sections) + len(self.listed)

    def forget(self, name: str, source_id: str) -> None:
        """An earlier state of a record no longer counts."""
        self.people.pop(source_id, None)
        self.sections.pop(source_id, None)
        self.listed.discard((name, source_id))

    def take(self, name: str, record: Record) -> bool:
        """Keeps a record's state; False where it is not mapped."""
        source_id = as_text(record.get("id"))
        if not source_id:
            return False
        if name in _LISTS:
            self.listed.add((name, source_id))
        elif name == "sections":
            self.sections[source_id] = mapping.mapped_section(record)
        elif name == "users" and (roles := mapping.roles_of(record)):
            self.people[source_id] = mapping.user_row(record, roles[0])
        else:
            return False
        return True

    def rows(self) -> Generator[tuple[str, list[Row]], None, None]:
        """Rows by collection, but for those of the lists that are read whole."""
        if self.people:
            yield "users", list(self.people.values())
        for sections in batches(self.sections.values(), size=500):
            yield "classes", [mapping.class_row(record) for record in sections]
            yield "enrollments", [row for record in sections for row in mapping.enrollment_rows(record)]
