"""Rules of Clever's events: in order, the newest state once, never a removal, any doubt waits for the full read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from time import time as now

import pytest

from include.simulator.clever_site import CleverDistrict, CleverSite
from include.simulator.district import MadeUpDistrict
from include.simulator.serving import serve_clever
from include.simulator.web import Simulator
from roster_sync.config.districts import SourceSettings
from roster_sync.core.errors import SourceNotReady
from roster_sync.sources.base import Access
from roster_sync.sources.clever import events as clever_events
from roster_sync.sources.clever.events import CleverEvents, newest_event
from roster_sync.sources.clever.source import Clever
from tests.sources.conftest import MemorySink, Record
from tests.sources.stub import Asked, Stub, Time, answer, serving

SETTINGS = SourceSettings("clever", "conn")
JUST_NOW = datetime.now(timezone.utc)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    district = MadeUpDistrict(seed=21, students=150, schools=2, churn=0.05)
    with serve_clever(district, rate_limit=None, day=2) as running:
        yield running


def entry(simulator: Simulator) -> CleverDistrict:
    site = simulator.site()
    assert isinstance(site, CleverSite)
    return site.of()


def events(
    simulator: Simulator, since_id: str = "", since: datetime | None = JUST_NOW, page_size: int = 7
) -> CleverEvents:
    access = Access(simulator.url, password=entry(simulator).token)
    return CleverEvents(
        SETTINGS, access, since_id=since_id, since=since, page_size=page_size, budget=None, **Time(now=now()).session
    )


def newest_id(simulator: Simulator) -> str | None:
    return newest_event(events(simulator)._api)


def full(simulator: Simulator) -> dict[str, dict[str, Record]]:
    sink = MemorySink()
    Clever(SETTINGS, Access(simulator.url, password=entry(simulator).token), budget=None).fetch(sink)
    return by_id(sink)


def by_id(sink: MemorySink) -> dict[str, dict[str, Record]]:
    return {name: {str(row["source_id"]): row for row in rows} for name, rows in sink.rows.items()}


def test_events_bring_a_full_read_up_to_date_but_for_what_is_gone(simulator: Simulator, sink: MemorySink) -> None:
    start = newest_id(simulator)
    assert start
    before = full(simulator)
    simulator.set_day(4)
    after = full(simulator)
    read = events(simulator, start)
    report = read.fetch(sink)
    merged = {name: {**before[name], **by_id(sink).get(name, {})} for name in before}
    for name, rows in after.items():
        assert {key: merged[name].get(key) for key in rows} == rows, name
    assert report.adds_only
    assert {name for name, found in report.collections.items() if found.is_complete} == {"orgs", "terms", "courses"}
    assert report.is_partial
    assert report.event_id == read.last_id
    assert read.last_id == newest_id(simulator) != start
    assert sum(count for kind, count in read.skipped.items() if kind.endswith(".deleted")) > 0


def test_reading_from_the_newest_event_brings_nothing(simulator: Simulator, sink: MemorySink) -> None:
    newest = newest_id(simulator)
    assert newest
    read = events(simulator, newest)
    assert not read.has_news()
    assert read.fetch(sink).collections == {}
    assert read.last_id == newest
    simulator.set_day(3)
    assert read.has_news()


def test_the_short_lists_come_whole_next_to_the_events(simulator: Simulator, sink: MemorySink) -> None:
    start = newest_id(simulator)
    assert start
    simulator.set_day(3)
    events(simulator, start).fetch(sink)
    everything = full(simulator)
    for name in ("orgs", "terms", "courses"):
        assert by_id(sink)[name] == everything[name]
    assert 0 < len(sink.ids("users")) < len(everything["users"])


def test_a_full_read_notes_the_newest_event_before_it_reads(simulator: Simulator, sink: MemorySink) -> None:
    access = Access(simulator.url, password=entry(simulator).token)
    report = Clever(SETTINGS, access, budget=None, has_events=True).fetch(sink)
    assert report.event_id == newest_id(simulator)
    paths = simulator.paths()
    assert paths.index("/v3.1/events") < paths.index("/v3.1/districts") < paths.index("/v3.1/schools")
    assert Clever(SETTINGS, access, budget=None).fetch(MemorySink()).event_id is None


def test_events_that_cannot_be_read_do_not_stop_the_full_read(simulator: Simulator, sink: MemorySink) -> None:
    simulator.fault("status", "*/events", status=403)
    access = Access(simulator.url, password=entry(simulator).token)
    report = Clever(SETTINGS, access, budget=None, has_events=True).fetch(sink)
    assert (report.event_id, report.adds_only) == (None, "")
    assert sink.ids("users")


def test_each_record_comes_once_in_its_newest_state(simulator: Simulator, sink: MemorySink) -> None:
    start = newest_id(simulator)
    assert start
    simulator.set_day(6)
    events(simulator, start).fetch(sink)
    for name in ("users", "classes"):
        assert len(sink.ids(name)) == len(set(sink.ids(name)))


@pytest.mark.parametrize("since", [None, JUST_NOW - timedelta(days=30)])
def test_a_gap_of_thirty_days_waits_for_the_full_read(
    simulator: Simulator, sink: MemorySink, since: datetime | None
) -> None:
    with pytest.raises(SourceNotReady, match="full read"):
        events(simulator, "a" * 24, since).fetch(sink)
    assert sink.rows == {}


@pytest.mark.parametrize("state", ["pending", "error", "running"])
def test_a_district_that_is_not_ready_waits(simulator: Simulator, sink: MemorySink, state: str) -> None:
    start = newest_id(simulator)
    assert start
    entry(simulator).state = state
    with pytest.raises(SourceNotReady):
        events(simulator, start).fetch(sink)


def test_without_events_there_is_no_newest(simulator: Simulator) -> None:
    entry(simulator).events = False
    assert newest_id(simulator) is None
    assert events(simulator).probe().is_ok


def stubbed(stub: Stub, sink: MemorySink, *found: tuple[str, str, str]) -> CleverEvents:
    """Events (id, type, id of the record) from a stub."""
    told = [
        {"data": {"id": key, "type": kind, "data": {"object": {"id": record, "name": "x"}}}}
        for key, kind, record in found
    ]

    def handle(asked: Asked) -> object:
        if asked.path.endswith("/districts"):
            return {"data": [{"data": {"id": "d", "state": "success"}}]}
        return {"data": told if asked.path.endswith("/events") else []}

    stub.handle = lambda asked: answer(handle(asked))
    return CleverEvents(SETTINGS, Access(stub.base, password="t"), since_id="a0", since=JUST_NOW, budget=None)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(lambda asked: answer({})) as started:
        yield started


def test_events_out_of_order_are_not_applied(stub: Stub, sink: MemorySink) -> None:
    read = stubbed(stub, sink, ("a2", "courses.created", "c1"), ("a1", "courses.updated", "c1"))
    with pytest.raises(SourceNotReady, match="order"):
        read.fetch(sink)
    assert read.last_id == "a0"
    assert sink.rows == {}


def test_what_was_changed_and_then_deleted_is_left_to_the_full_read(stub: Stub, sink: MemorySink) -> None:
    read = stubbed(
        stub, sink, ("a1", "sections.created", "c1"), ("a2", "sections.created", "c2"),
        ("a3", "sections.deleted", "c1"), ("a4", "resources.created", "r1"),
    )  # fmt: skip
    read.fetch(sink)
    assert sink.ids("classes") == ["c2"]
    assert read.last_id == "a4"
    assert read.skipped == {"sections.deleted": 1, "resources.created": 1}


def test_more_records_than_are_held_at_a_time_wait_for_the_full_read(
    stub: Stub, sink: MemorySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clever_events, "MOST", 2)
    told = [("a1", "sections.created", "c1"), ("a2", "sections.updated", "c1"), ("a3", "schools.updated", "s1")]
    stubbed(stub, sink, *told).fetch(sink)
    assert sink.ids("classes") == ["c1"], "one record is one, however often it changed"
    sink = MemorySink()
    with pytest.raises(SourceNotReady, match="More than 2 records"):
        stubbed(stub, sink, *told, ("a4", "sections.created", "c2")).fetch(sink)
    assert sink.rows == {}
