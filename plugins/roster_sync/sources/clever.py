"""Clever Secure Sync: a district's roster from the Data API v3."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from roster_sync.districts import SourceSettings
from roster_sync.errors import AuthError, ConfigError, SourceError, SourceNotReady
from roster_sync.model import COLLECTIONS
from roster_sync.sources import clever_mapping as mapping
from roster_sync.sources.base import Access, CollectionReport, FeedReport, ProbeReport, ProbeStep, Sink
from roster_sync.sources.clever_api import CleverApi, Walk
from roster_sync.sources.clever_events import newest_event
from roster_sync.sources.clever_mapping import CleverDistrict, Record, Row
from roster_sync.sources.side_by_side import side_by_side
from roster_sync.sources.singles import Singles
from roster_sync.sources.texts import as_mapping, as_text

log = logging.getLogger(__name__)

REREADS: Final = 3
"""How often a roster that moved, or whose totals were not reached, is read again."""
LONGEST_RUNNING: Final = 30 * 60.0
"""Seconds for which a sync of Clever's own is waited for."""
_POLL: Final = 30.0
_BATCH: Final = 2_000


@dataclass(frozen=True)
class Batch:
    """Rows on their way to the sink."""

    collection: str
    rows: Sequence[Row]


@dataclass
class _List:
    """One list of the API as it was read."""

    collection: str
    path: str
    params: dict[str, str] = field(default_factory=dict)
    walk: Walk = field(default_factory=Walk)
    expected: int | None = None


class Clever:
    """A district that shares through Clever."""

    def __init__(
        self,
        settings: SourceSettings,
        access: Access,
        *,
        read_by: str = "district",
        threads: int = 4,
        has_events: bool = False,
        **options: Any,
    ) -> None:
        """Asks nothing yet.

        Args:
            settings: `version`.
            access: see CleverApi.
            read_by: 'district' = whole lists, fewest requests; 'schools' = students, teachers and sections school by
                school. Both give the same rows.
            threads: lists that are read side by side.
            has_events: notes the newest event before it reads, for who reads the events after it.
            options: keyword arguments of CleverApi and Session, for tests.
        """
        if read_by not in ("district", "schools"):
            raise ConfigError("A Clever source is read by 'district' or by 'schools'.")
        self._api = CleverApi(access, settings.version or "v3.1", **{"threads": threads + 1, **options})
        self._read_by = read_by
        self._threads = threads
        self._has_events = has_events
        self._sleep: Callable[[float], None] = options.get("sleep", time.sleep)
        self._clock: Callable[[], float] = options.get("clock", time.time)
        self._singles = Singles(self._single, self._any_id, _is_that_record)

    # -- reading ------------------------------------------------------------------------------------------------------

    def fetch(self, sink: Sink) -> FeedReport:
        """Streams the whole roster into the sink.

        Raises:
            SourceNotReady: the district is pending, in error, or its own sync does not end.
            SourceError: Clever refused, did not answer, or gave no roster.
        """
        self._deadline = self._clock() + LONGEST_RUNNING
        event_id = self._newest_event() if self._has_events else None
        for tries_left in range(REREADS, -1, -1):
            before = self._ready_district()
            report = self._read(sink, before)
            after = self._api.district()
            has_moved = before.last_sync != after.last_sync or after.state in ("running", "pending", "error")
            problem = next((found.reason for found in report.collections.values() if not found.is_complete), "")
            if tries_left == 0 or not (has_moved or problem):
                break
            log.warning("%s: %s; reading it again", self._api.host, problem or "the district was synced meanwhile")
            sink.discard()
        report.requests = self._api.requests
        report.event_id = event_id
        report.revision = None if has_moved else after.last_sync
        if has_moved:
            report.adds_only = "Clever kept syncing the district while it was read, three times over."
        elif "paused" in (before.state, after.state):
            report.adds_only = before.reason or after.reason
        return report

    def _newest_event(self) -> str | None:
        """Events are a convenience: where they cannot be read, the full read goes on without them."""
        try:
            return newest_event(self._api)
        except SourceError as error:
            log.warning("the events cannot be read: %s", error)
            return None

    def _ready_district(self) -> CleverDistrict:
        """The district once it may be read; waits while Clever syncs it."""
        while True:
            district = self._api.district()
            if district.state in ("pending", "error"):
                raise SourceNotReady(district.reason)
            if district.state != "running":
                return district
            if self._clock() + _POLL > self._deadline:
                raise SourceNotReady(
                    "Clever has been syncing this district for 30 minutes: start the sync again later."
                )
            log.info("%s is syncing the district; waiting", self._api.host)
            self._sleep(_POLL)

    def _read(self, sink: Sink, district: CleverDistrict) -> FeedReport:
        report = FeedReport(f"clever:{district.id}")
        started = time.monotonic()
        reading = _Reading(self._api)
        sink.copy_rows("orgs", COLLECTIONS["orgs"], [mapping.district_row(district)])
        for batch in reading.schools():
            sink.copy_rows(batch.collection, COLLECTIONS[batch.collection], batch.rows)
        walks = reading.by_district() if self._read_by == "district" else reading.by_schools()
        with closing(side_by_side(walks, threads=self._threads, ahead=self._threads)) as batches:
            for batch in filter(lambda batch: batch.rows, batches):
                sink.copy_rows(batch.collection, COLLECTIONS[batch.collection], batch.rows)
        report.collections = reading.report()
        seconds = max(time.monotonic() - started, 1e-6)
        records = sum(found.received for found in report.collections.values())
        log.info("%s: %s records, %.0f a second, %s requests", self._api.host, records, records / seconds,
                 self._api.requests)  # fmt: skip
        return report

    # -- single records -----------------------------------------------------------------------------------------------

    def is_live(self, collection: str, source_id: str) -> bool | None:
        """Whether a school or person is still shared; None where Clever could not tell."""
        return self._singles.is_live(collection, source_id)

    def _single(self, collection: str, source_id: str) -> Any:
        path = {"orgs": "schools", "users": "users"}[collection]
        return self._api.one(f"/{path}/{quote(source_id, safe='')}")

    def _any_id(self, collection: str) -> str | None:
        path = {"orgs": "/schools", "users": "/users"}[collection]
        params = {"role": "student"} if collection == "users" else {}
        for item in self._api.page(path, limit="1", **params)["data"]:
            return as_text(as_mapping(as_mapping(item).get("data")).get("id"))
        return None

    # -- test connection ----------------------------------------------------------------------------------------------

    def probe(self) -> ProbeReport:
        """Asks for a little of everything, step by step."""
        report = ProbeReport()
        step = "Application credentials" if self._api.is_by_application else "Token"
        try:
            if self._api.is_by_application:
                self._api.session.auth.header("GET", "")
                report.steps.append(ProbeStep(step, True, "Clever gave the district's token to the application."))
                step = "Token"
            district = self._api.district()
            report.steps.append(ProbeStep("Token", True, "Clever accepts the district's token."))
            step = "District"
            self._tell_district(report, district)
            step = "Schools"
            records = self._api.records("/schools", Walk())
            report.schools = [
                (as_text(record.get("id")) or "", as_text(record.get("name")) or "") for record in records
            ]
            is_ok = bool(report.schools)
            report.steps.append(ProbeStep(step, is_ok, f"{len(report.schools)} schools are shared." if is_ok else (
                "No school is shared: the district shares its schools on its Clever dashboard.")))  # fmt: skip
        except AuthError as error:
            cause = {
                "Application credentials": " Check the client id and secret, and that the district is connected.",
                "Token": " A token that was replaced stops working: put the new one into the connection.",
            }.get(step, " Without Secure Sync a token reads nothing but the district.")
            report.steps.append(ProbeStep(step, False, f"{error}{cause}"))
        except SourceError as error:
            report.steps.append(ProbeStep(step, False, str(error)))
        return report

    def _tell_district(self, report: ProbeReport, district: CleverDistrict) -> None:
        report.issuer = f"clever:{district.id}"
        report.state, report.reason, report.data_as_of = district.state, district.reason, district.last_sync
        is_ok = district.state not in ("pending", "error")
        report.steps.append(ProbeStep("District", is_ok, f"{district.reason} {self._age(district)}".strip()))

    def _age(self, district: CleverDistrict) -> str:
        try:
            synced = datetime.fromisoformat((district.last_sync or "").replace("Z", "+00:00"))
        except ValueError:
            return "Clever does not say when it last synced the district."
        synced = synced if synced.tzinfo else synced.replace(tzinfo=timezone.utc)
        hours = max(0.0, (self._clock() - synced.timestamp()) / 3600)
        return f"Clever synced the district {hours:.0f} hours ago."


class _Reading:
    """One read of everything: which lists, in which threads, and who was seen already."""

    def __init__(self, api: CleverApi) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._school_ids: list[str] = []
        self._schools_known: frozenset[str] = frozenset()
        self._lists: list[_List] = []
        self._enrollments = 0

    # -- which lists --------------------------------------------------------------------------------------------------

    def schools(self) -> Iterator[Batch]:
        """The schools, which are read first."""
        listed = self._add("orgs", "/schools")
        for records in _batches(self._records(listed)):
            self._school_ids += [text for record in records if (text := as_text(record.get("id")))]
            yield Batch("orgs", [mapping.school_row(record) for record in records])
        self._schools_known = frozenset(self._school_ids)

    def by_district(self) -> list[Callable[[], Iterable[Batch]]]:
        """Whole lists, the longest first."""
        return [
            self._people("student"), self._sections(), self._people("teacher"), self._people("staff"),
            self._values("courses", mapping.course_row), self._values("terms", mapping.term_row),
            self._people("district_admin"),
        ]  # fmt: skip

    def by_schools(self) -> list[Callable[[], Iterable[Batch]]]:
        """Students, teachers and sections school by school; who may stand outside of schools as whole lists."""
        students, teachers, sections = (
            self._add("users", "/users", role="student"), self._add("users", "/users", role="teacher"),
            self._add("classes", "/sections"),
        )  # fmt: skip
        walks: list[Callable[[], Iterable[Batch]]] = [self._counting(students, teachers, sections)]
        for school in self._school_ids:
            path = f"/schools/{quote(school, safe='')}"
            walks += [
                self._people("student", students, f"{path}/users", school),
                self._sections(sections, f"{path}/sections"),
                self._people("teacher", teachers, f"{path}/users", school),
            ]  # fmt: skip
        return [
            *walks, self._people("staff"), self._values("courses", mapping.course_row),
            self._values("terms", mapping.term_row), self._people("district_admin"),
        ]  # fmt: skip

    def _add(self, collection: str, path: str, **params: str) -> _List:
        listed = _List(collection, path, params)
        self._lists.append(listed)
        return listed

    # -- walks --------------------------------------------------------------------------------------------------------

    def _records(self, listed: _List, path: str = "") -> Generator[dict[str, Any], None, None]:
        """A list's records; a whole list is counted by the source first."""
        if not path:
            listed.expected = self._api.count(listed.path, **listed.params)
            yield from self._api.records(listed.path, listed.walk, **listed.params)
            return
        part = Walk()
        yield from self._api.records(path, part, **listed.params)
        with self._lock:
            listed.walk.pages += part.pages
            listed.walk.problem = listed.walk.problem or part.problem

    def _counting(self, *lists: _List) -> Callable[[], Iterable[Batch]]:
        def walk() -> Iterator[Batch]:
            for listed in lists:
                listed.expected = self._api.count(listed.path, **listed.params)
            yield from ()

        return walk

    def _values(self, name: str, row: Callable[[Record], Row]) -> Callable[[], Iterable[Batch]]:
        listed = self._add(name, f"/{name}")

        def walk() -> Iterator[Batch]:
            for records in _batches(self._records(listed)):
                yield Batch(name, [row(record) for record in records])

        return walk

    def _people(
        self, role: str, listed: _List | None = None, path: str = "", school: str = ""
    ) -> Callable[[], Iterable[Batch]]:
        whole = listed or self._add("users", "/users", role=role)

        def walk() -> Iterator[Batch]:
            for records in _batches(self._records(whole, path)):
                mine = [record for record in records if not school or self._is_home(record, role, school)]
                if school:
                    with self._lock:
                        whole.walk.received += len(mine)
                rows = [mapping.user_row(record, role) for record in mine if self._is_first(record, role)]
                yield Batch("users", rows)

        return walk

    def _sections(self, listed: _List | None = None, path: str = "") -> Callable[[], Iterable[Batch]]:
        whole = listed or self._add("classes", "/sections")

        def walk() -> Iterator[Batch]:
            for records in _batches(self._records(whole, path), size=500):
                if path:
                    with self._lock:
                        whole.walk.received += len(records)
                yield Batch("classes", [mapping.class_row(record) for record in records])
                rows = [row for record in records for row in mapping.enrollment_rows(record)]
                with self._lock:
                    self._enrollments += len(rows)
                yield Batch("enrollments", rows)

        return walk

    # -- who was seen -------------------------------------------------------------------------------------------------

    def _is_first(self, record: Record, role: str) -> bool:
        """Whether a person has not come yet. Only who holds several roles comes in several lists."""
        if mapping.roles_of(record) == (role,):
            return True
        return self._is_new(as_text(record.get("id")))

    def _is_home(self, record: Record, role: str, school: str) -> bool:
        """Whether a person, who comes once with each school, is taken with this one.

        It is the first of theirs that is shared: that needs no memory of everyone. Who names none of the schools is
        remembered.
        """
        home = next((known for known in mapping.schools_of(record, role) if known in self._schools_known), None)
        if home is not None:
            return home == school
        source_id = as_text(record.get("id"))
        return self._is_new(f"{role} {source_id}" if source_id else None)

    def _is_new(self, mark: str | None) -> bool:
        """Whether a mark was not seen before; what has no id is told apart from nothing, so it is always new."""
        if not mark:
            return True
        with self._lock:
            is_new = mark not in self._seen
            self._seen.add(mark)
        return is_new

    # -- what came of it ----------------------------------------------------------------------------------------------

    def report(self) -> dict[str, CollectionReport]:
        """Per collection what was received, and whether the source's own counts agree."""
        found: dict[str, CollectionReport] = {}
        for listed in self._lists:
            one = found.setdefault(listed.collection, CollectionReport(0, 0, True))
            one.received += listed.walk.received
            one.expected = (
                None if None in (one.expected, listed.expected) else (one.expected or 0) + (listed.expected or 0)
            )
            problem = listed.walk.problem
            if listed.expected is not None and listed.expected != listed.walk.received:
                problem = f"Clever says that it has {listed.expected} records and gave {listed.walk.received}."
            if problem and one.is_complete:
                one.is_complete, one.reason = False, problem
        classes = found["classes"]
        found["enrollments"] = CollectionReport(self._enrollments, None, classes.is_complete, classes.reason)
        return found


def _batches(records: Iterable[dict[str, Any]], size: int = _BATCH) -> Iterator[list[dict[str, Any]]]:
    """Records in small lists: a page is never held as objects as a whole."""
    walk = iter(records)
    while batch := list(islice(walk, size)):
        yield batch


def _is_that_record(answer: dict[str, Any], source_id: str) -> bool | None:
    return True if as_text(as_mapping(answer.get("data")).get("id")) == source_id else None
