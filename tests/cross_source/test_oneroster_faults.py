"""What goes wrong on the way to a OneRoster server: each run ends as it should, says why, and nothing is ever lost."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from time import time as now
from typing import Any

import pytest

from include.simulator.district import Churn, MadeUpDistrict
from include.simulator.web import Simulator
from roster_sync.config.districts import SourceSettings
from roster_sync.sources.base import Access
from roster_sync.sources.oneroster.source import OneRosterRest
from tests.cross_source.everywhere import Everywhere, run
from tests.dsl.handwork import kept, work
from tests.dsl.world import Ran, World
from tests.sources.stub import Time

SECRET = "demo-secret"


class Evening:
    """A OneRoster district after its first night; people have worked with it, and its second day has come."""

    def __init__(self, made_up: Everywhere) -> None:
        self.made_up, self.time = made_up, Time(now=now())
        self.world: World = made_up.portal_of("rest12")
        self.server: Simulator = made_up.server("rest12")
        assert self.sync().status == "launched"
        work(self.world)
        self.made_up.set_day(2)

    def sync(self, secret: str = SECRET, **parameters: Any) -> Ran:
        """A run whose waits pass at once."""
        access = Access(self.server.url, "demo-key", secret, {"token_url": f"{self.server.url}/oauth/token"})
        settings = SourceSettings("oneroster", "conn", version="1.2", auth="oauth2")
        return run(self.world, OneRosterRest(settings, access, page_size=60, **self.time.session), **parameters)

    def shared_now(self) -> set[str]:
        """Who stands in the portal as shared."""
        return self.world.shared("users")

    def is_whole(self) -> bool:
        """Whether the portal shows the students and active enrollments that the district shares on its day."""
        day = self.made_up.district.day(self.server.site().day)  # type: ignore[attr-defined]
        students = {person.sourced_id for person in day.users("student")}
        active = self.world.value(
            "select count(*) from portal.enrollments e join portal.classes c on c.id = e.class_id"
            " where e.district_id = %s and e.is_active and c.is_shared", self.world.district_id,
        )  # fmt: skip
        shared = self.world.ids("users", "is_shared and role = 'student'")
        return (shared, active) == (students, sum(1 for _ in day.enrollments()))


@pytest.fixture
def evening(everywhere: Callable[..., Everywhere]) -> Evening:
    return Evening(everywhere(MadeUpDistrict(41, 150, 3, churn=Churn(0.05), contacts=False)))


FATAL: list[tuple[dict[str, Any], str]] = [
    ({"kind": "status", "status": 400}, "answered 400.*check the address"),
    ({"kind": "status", "status": 401, "match": "offset=60"}, "401.*check the token or secret"),
    ({"kind": "status", "status": 403}, "403.*users is not shared.*ask the district"),
    ({"kind": "status", "status": 404}, "answered 404.*check the address"),
    ({"kind": "status", "status": 429}, "429.*too many requests.*later"),
    ({"kind": "status", "status": 503}, "503.*try again later"),
    ({"kind": "html"}, "web page.*check both"),
    ({"kind": "garbled"}, "cut off or is not JSON"),
    ({"kind": "truncated"}, "cut off"),
    ({"kind": "no_envelope", "match": "offset=120"}, "without its list 'users'.*tell its operator"),
    ({"kind": "drop"}, "cannot be reached.*check"),
    ({"kind": "status", "status": 500, "path": "/oauth/token"}, "500.*try again later"),
    ({"kind": "status", "status": 401, "path": "/oauth/token"}, "gave no token.*check the client id"),
]


def test_what_cannot_be_read_fails_the_run_in_one_sentence_and_changes_nothing(
    evening: Evening, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "roster_sync")
    versions, things = evening.world.versions(), kept(evening.world)
    for fault, words in FATAL:
        evening.server.fault(**{"path": "*/users", **fault})
        ran = evening.sync()
        assert ran.status == "failed", fault
        assert re.search(words, ran.message), (fault, ran.message)
        assert len(ran.message) < 300
        assert "\n" not in ran.message
        assert evening.world.versions() == versions, fault
        evening.server.clear_faults()
    evening.server.configure(total_count=False)
    evening.server.fault("foreign_link", "*/users")
    ran = evening.sync()
    assert "another server" in ran.message
    assert (ran.status, evening.world.versions()) == ("failed", versions)
    evening.server.clear_faults()
    assert "gave no token" in evening.sync(secret="revoked-secret").message
    assert evening.sync(max_deleted_percent=100).status == "launched"
    assert evening.is_whole()
    assert {name: kept(evening.world)[name] for name in ("licenses", "class books", "books", "by hand")} == {
        name: things[name] for name in ("licenses", "class books", "books", "by hand")
    }
    told = caplog.text + str(evening.world.rows("select message, parameters, proof from sync.runs"))
    for secret in (SECRET, "revoked-secret", "Bearer ", *evening.server.site().auth._tokens):  # type: ignore[attr-defined]
        assert secret not in told


ONCE: list[dict[str, Any]] = [
    {"kind": "status", "status": 429, "retry_after": "30", "nth": 2},
    {"kind": "status", "status": 429, "times": 2},
    {"kind": "status", "status": 500, "times": 2},
    {"kind": "status", "status": 502, "times": 1},
    {"kind": "truncated", "nth": 2},
    {"kind": "expired_token", "nth": 2},
    {"kind": "moved", "nth": 2},
    {"kind": "empty", "nth": 2},
    {"kind": "duplicate", "nth": 2},
    {"kind": "wrong_total", "nth": 1},
]


def test_what_a_server_gets_wrong_once_is_retried_within_the_run(evening: Evening) -> None:
    evening.server.configure(classlink=True)
    for fault in ONCE:
        evening.server.fault(path="*/users", **fault)
        ran = evening.sync(max_deleted_percent=100)
        assert (ran.status, ran.message) == ("launched", ""), fault
        assert evening.is_whole(), fault
        assert evening.world.value("select is_complete_feed from sync.runs where id = %s", ran.id), fault
        assert all(one["hits"] for one in evening.server.site().faults.describe()), fault
        evening.server.clear_faults()
        evening.made_up.set_day(evening.server.site().day + 1)  # type: ignore[attr-defined]


DOUBT: list[dict[str, Any]] = [
    {"kind": "wrong_total", "path": "*/users"},
    {"kind": "skipped", "path": "*/users", "match": "offset=60"},
    {"kind": "revision", "path": "*/classes"},
]


def test_what_keeps_being_in_doubt_adds_and_updates_but_removes_nobody_and_stops_a_reset(evening: Evening) -> None:
    evening.server.configure(classlink=True)
    for day, fault in enumerate(DOUBT, 2):
        evening.made_up.set_day(day)
        before, versions = evening.shared_now(), evening.world.versions()
        here = evening.made_up.district.day(day)
        assert before - {person.sourced_id for person in here.users()}, "someone left"
        evening.server.fault(**fault)
        reset = evening.sync(mode="reset", max_deleted_percent=100)
        assert reset.status == "failed", fault
        assert "is incomplete" in reset.message or "changing" in reset.message, reset.message
        assert evening.world.versions() == versions, fault
        ran = evening.sync(max_deleted_percent=100)
        assert ran.status == "launched", fault
        assert before <= evening.shared_now(), fault
        if fault["kind"] in ("wrong_total", "revision"):
            students = {person.sourced_id for person in here.users("student")}
            assert students <= evening.shared_now(), "all came, so all were added"
        evening.server.clear_faults()
        assert evening.sync(max_deleted_percent=100).status == "launched"
        assert evening.is_whole(), fault
