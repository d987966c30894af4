"""Clever Secure Sync: a district's roster from the Data API v3."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timezone
from typing import Any, Final
from urllib.parse import quote

from roster_sync.config.districts import SourceSettings
from roster_sync.core.errors import AuthError, ConfigError, SourceError, SourceNotReady
from roster_sync.core.vocabulary import COLLECTIONS
from roster_sync.sources.base import Access, FeedReport, ProbeReport, ProbeStep, Sink
from roster_sync.sources.clever import mapping as mapping
from roster_sync.sources.clever.api import CleverApi, ListRead
from roster_sync.sources.clever.events import newest_event
from roster_sync.sources.clever.mapping import CleverDistrict
from roster_sync.sources.clever.reading import Reading
from roster_sync.sources.http.concurrent import run_concurrently
from roster_sync.sources.http.json_text import as_mapping, as_text
from roster_sync.sources.http.single_records import SingleRecords

log = logging.getLogger(__name__)

REREADS: Final = 3
"""How often a roster that moved, or whose totals were not reached, is read again."""
LONGEST_RUNNING: Final = 30 * 60.0
"""Seconds of one fetch that may be spent on waiting for syncs of Clever's own."""
_POLL: Final = 30.0


class Clever:
    """A district that shares through Clever."""

    def __init__(
        self,
        settings: SourceSettings,
        access: Access,
        _district_key: str = "",
        *,
        read_by: str = "district",
        threads: int = 4,
        has_events: bool = False,
        **options: Any,
    ) -> None:
        """Asks nothing yet.

        Args:
            settings: `version`, `district_id`.
            access: see CleverApi.
            read_by: 'district' = whole lists, fewest requests; 'schools' = students, teachers and sections school by
                school. Both give the same rows.
            threads: lists that are read concurrently.
            has_events: notes the newest event before it reads, for a later read of the events after it.
            options: keyword arguments of CleverApi and Session, for tests.
        """
        if read_by not in ("district", "schools"):
            raise ConfigError("A Clever source is read by 'district' or by 'schools'.")
        self._api = CleverApi(access, settings, **{"threads": threads + 1, **options})
        self._read_by = read_by
        self._threads = threads
        self._has_events = has_events
        self._sleep: Callable[[float], None] = options.get("sleep", time.sleep)
        self._clock: Callable[[], float] = options.get("clock", time.time)
        self._waiting_left = LONGEST_RUNNING
        self._single_records = SingleRecords(self._single, self._any_id, _is_that_record)

    # -- reading ------------------------------------------------------------------------------------------------------

    def fetch(self, sink: Sink) -> FeedReport:
        """Streams the whole roster into the sink.

        Raises:
            SourceNotReady: the district is pending, in error, or its own sync does not end.
            SourceError: Clever refused, did not answer, or gave no roster.
        """
        self._waiting_left = LONGEST_RUNNING
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
            if self._waiting_left < _POLL:
                raise SourceNotReady(
                    "Clever has been syncing this district for 30 minutes: start the sync again later."
                )
            log.info("%s is syncing the district; waiting", self._api.host)
            self._sleep(_POLL)
            self._waiting_left -= _POLL

    def _read(self, sink: Sink, district: CleverDistrict) -> FeedReport:
        report = FeedReport(f"clever:{district.id}")
        started = time.monotonic()
        reading = Reading(self._api)
        sink.copy_rows("orgs", COLLECTIONS["orgs"], [mapping.district_row(district)])
        for batch in reading.schools():
            sink.copy_rows(batch.collection, COLLECTIONS[batch.collection], batch.rows)
        jobs = reading.by_district() if self._read_by == "district" else reading.by_schools()
        with closing(run_concurrently(jobs, threads=self._threads, ahead=self._threads)) as batches:
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
        self._api.hurry()
        return self._single_records.is_live(collection, source_id)

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
        """Asks for a little of everything, step by step; a person waits, so little is tried twice."""
        self._api.hurry()
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
            records = self._api.records("/schools", ListRead())
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


def _is_that_record(answer: dict[str, Any], source_id: str) -> bool | None:
    return True if as_text(as_mapping(answer.get("data")).get("id")) == source_id else None
