"""What every kind of source keeps to, whoever wrote it: read whole, proved or not proved, and no secret shown."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.simulator.district import MadeUpDistrict
from roster_sync.core import source_kinds
from roster_sync.core.errors import AuthError, FeedBroken, SourceUnavailable
from roster_sync.core.vocabulary import COLLECTIONS
from roster_sync.sources.base import Askable
from tests.sources.conftest import MemorySink
from tests.sources.providers import PROVIDERS, WRONG, Provider, check_whole

REMOTE = [name for name in PROVIDERS if not name.startswith("oneroster_csv")]
"""Those that are asked over a network: they page, they have secrets, they can be asked for single records."""


@pytest.fixture(scope="module")
def district() -> MadeUpDistrict:
    return MadeUpDistrict(seed=5, students=240, schools=3)


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest, district: MadeUpDistrict, tmp_path: Path) -> Iterator[Provider]:
    with PROVIDERS[request.param](district, tmp_path) as made:
        yield made


@pytest.fixture(params=REMOTE)
def remote(request: pytest.FixtureRequest, district: MadeUpDistrict, tmp_path: Path) -> Iterator[Provider]:
    with PROVIDERS[request.param](district, tmp_path) as made:
        yield made


def asked(provider: Provider) -> int:
    return len(provider.simulator.requests) if provider.simulator else 0


def in_any_order(sink: MemorySink) -> dict[str, list[str]]:
    return {name: sorted(map(str, rows)) for name, rows in sink.rows.items()}


def test_every_kind_keeps_to_the_contract() -> None:
    assert {name.partition(" ")[0] for name in PROVIDERS} == set(source_kinds.names())


# -- reading -----------------------------------------------------------------------------------------------------------


def test_a_district_is_read_whole_and_a_second_time_the_same(provider: Provider) -> None:
    first, second = MemorySink(), MemorySink()
    report = provider.open().fetch(first)
    check_whole(report, first, provider.ids)
    assert report.requests == asked(provider)
    again = provider.open().fetch(second)
    assert in_any_order(second) == in_any_order(first)
    assert again.collections == report.collections
    assert again.issuer == report.issuer


def test_to_open_a_source_asks_nothing(provider: Provider) -> None:
    provider.open()
    assert asked(provider) == 0


def test_the_report_counts_what_came(provider: Provider, sink: MemorySink) -> None:
    report = provider.open().fetch(sink)
    assert set(sink.rows) <= set(report.collections) <= set(COLLECTIONS)
    for name, found in report.collections.items():
        assert found.expected in (None, found.received), name
        assert found.is_complete != bool(found.reason), name


def test_the_issuer_is_the_kind_and_the_place_and_the_same_for_probe_and_read(
    provider: Provider, sink: MemorySink
) -> None:
    kind, _, place = provider.open().probe().issuer.partition(":")
    assert (kind, bool(place)) == (provider.settings.kind, True)
    assert provider.open().fetch(sink).issuer == f"{kind}:{place}"


def test_people_that_did_not_all_come_are_not_proved_and_all_else_is(provider: Provider, sink: MemorySink) -> None:
    provider.break_off()
    report = provider.open().fetch(sink)
    users = report.collections.pop("users")
    assert not users.is_complete
    assert users.reason.endswith(".")
    report.collections.pop("roles", None)
    assert all(found.is_complete for found in report.collections.values())


def test_what_is_not_a_roster_is_refused(provider: Provider, sink: MemorySink) -> None:
    provider.garble()
    with pytest.raises(FeedBroken):
        provider.open().fetch(sink)


# -- test connection ---------------------------------------------------------------------------------------------------


def test_the_probe_names_the_schools_and_loads_nothing(provider: Provider) -> None:
    report = provider.open().probe()
    assert report.is_ok, report.steps
    assert (report.state, report.reason) == ("ready", "")
    assert dict(report.schools) == provider.schools
    assert report.data_as_of
    assert all(step.name and step.message for step in report.steps)
    assert asked(provider) <= 10


def test_the_probe_says_what_is_wrong_and_never_raises(provider: Provider) -> None:
    provider.garble()
    report = provider.open().probe()
    assert not report.is_ok
    assert report.steps[-1].message


@pytest.mark.parametrize("kind", ["html", "no_envelope"])
def test_the_probe_says_that_an_answer_is_not_a_roster(remote: Provider, kind: str) -> None:
    assert remote.simulator
    remote.simulator.fault(kind)
    assert not remote.open().probe().is_ok


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("retry_after", ["3600", None])
def test_a_probe_does_not_keep_a_person_waiting(remote: Provider, status: int, retry_after: str | None) -> None:
    assert remote.simulator
    remote.simulator.fault("status", status=status, retry_after=retry_after)
    step = remote.open().probe().steps[-1]
    assert not step.is_ok
    assert f"({status})" in step.message
    assert sum(remote.time.slept) <= 2
    assert asked(remote) <= 2


# -- over a network ----------------------------------------------------------------------------------------------------


def test_the_page_size_is_ten_thousand(remote: Provider, sink: MemorySink) -> None:
    assert remote.simulator
    remote.tuning.pop("page_size")
    check_whole(remote.open().fetch(sink), sink, remote.ids)
    limits = {part for request in remote.simulator.requests for part in request.query.split("&") if "limit=" in part}
    assert limits <= {"limit=10000", "limit=1"}
    assert asked(remote) <= 20


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "every": 5},
        {"kind": "status", "status": 500, "every": 5},
        {"kind": "status", "status": 502, "every": 5},
        {"kind": "status", "status": 503, "every": 5},
        {"kind": "drop", "every": 6},
        {"kind": "truncated", "every": 6},
    ],
    ids=lambda fault: fault.get("status", fault["kind"]),
)
def test_a_fault_that_passes_loses_nothing(remote: Provider, sink: MemorySink, fault: dict[str, Any]) -> None:
    assert remote.simulator
    remote.simulator.fault(**fault)
    check_whole(remote.open().fetch(sink), sink, remote.ids)
    assert remote.time.slept
    assert sink.discards == 0


def test_a_server_that_stays_down_fails_the_run(remote: Provider, sink: MemorySink) -> None:
    assert remote.simulator
    remote.simulator.fault("status", "*/users", status=503)
    with pytest.raises(SourceUnavailable):
        remote.open().fetch(sink)


@pytest.mark.parametrize("kind", ["html", "garbled", "no_envelope", "truncated"])
def test_a_page_that_is_not_a_roster_is_refused(remote: Provider, sink: MemorySink, kind: str) -> None:
    assert remote.simulator
    remote.simulator.fault(kind, "*/users")
    with pytest.raises(FeedBroken):
        remote.open().fetch(sink)


def test_a_wrong_secret_is_refused_and_never_repeated(
    remote: Provider, sink: MemorySink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source = remote.with_wrong_secret().open()
    with pytest.raises(AuthError) as caught:
        source.fetch(sink)
    messages = [step.message for step in source.probe().steps]
    shown: BaseException | None = caught.value
    while shown is not None:
        messages.append(f"{shown!r} {shown}")
        shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)
    assert messages
    assert WRONG not in "".join([*messages, caplog.text, repr(remote.with_wrong_secret())])
    assert remote.time.slept == [], "a refusal is not asked again"


# -- single records ----------------------------------------------------------------------------------------------------


def test_a_single_record_is_live_or_gone(remote: Provider) -> None:
    source = remote.open()
    assert isinstance(source, Askable)
    assert source.is_live("orgs", next(iter(remote.schools))) is True
    assert source.is_live("users", remote.ids["users"][0]) is True
    assert source.is_live("users", "0" * 24) is False


def test_a_single_record_is_waited_for_but_shortly(remote: Provider) -> None:
    assert remote.simulator
    source = remote.open()
    assert isinstance(source, Askable)
    remote.simulator.fault("status", match="0" * 24, status=503)
    with pytest.raises(SourceUnavailable):
        source.is_live("users", "0" * 24)
    assert sum(remote.time.slept) <= 2


def test_files_cannot_be_asked_for_single_records(district: MadeUpDistrict, tmp_path: Path) -> None:
    with PROVIDERS["oneroster_csv 1.1"](district, tmp_path) as made:
        assert not isinstance(made.open(), Askable)
