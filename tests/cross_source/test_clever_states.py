"""What Clever says of itself, and what goes wrong on the way: each ends as it should, and nothing is ever lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import sleep
from time import time as now
from typing import Any, cast

import pytest

from include.simulator.clever_site import CleverSite
from include.simulator.district import MadeUpDistrict
from roster_sync.feed import staging
from roster_sync.sources.base import Access
from roster_sync.sources.kinds import open_source
from tests.cross_source.everywhere import Everywhere, run
from tests.cross_source.portal_image import Image, Meanings, image
from tests.dsl.handwork import kept, work
from tests.dsl.roster import MemorySource, town
from tests.dsl.world import Ran, World
from tests.sources.stub import Time


class Morning:
    """A Clever district after its first night; people have worked with it, and its second day has come."""

    def __init__(self, made_up: Everywhere) -> None:
        self.made_up, self.meanings, self.time = made_up, Meanings(), Time(now=now())
        self.world: World = made_up.portal_of("clever")
        self.learn(1)
        assert self.sync().status == "launched"
        work(self.world)
        self.learn(2)

    def learn(self, day: int) -> None:
        self.made_up.set_day(day)
        self.meanings.learn(self.made_up.district.day(day))

    def sync(self, *, access: Access | None = None, sleep: Callable[[float], None] | None = None, page_size: int = 30,
             **parameters: Any) -> Ran:  # fmt: skip
        """A run whose waits pass at once."""
        options: dict[str, Any] = {"page_size": page_size, "budget": None, **self.time.session}
        options |= {"sleep": sleep} if sleep else {}
        source = open_source(self.world.district.source, access or self.made_up.access, "x", **options)
        return run(self.world, source, **parameters)

    def image(self) -> Image:
        return image(self.world, self.meanings)

    def fault(self, kind: str, path: str = "*", **more: Any) -> None:
        self.made_up.server("clever").fault(kind, path, **more)

    def is_whole(self) -> bool:
        """Whether the portal shows what the district shares on the day that it is."""
        day, found = self.made_up.district.day(self.made_up.at_clever.day), self.image()
        shared = {name for name, row in found.tables["users"].items() if row["is_shared"] and name[0] == "student"}
        active = {key for key, row in found.tables["enrollments"].items() if row["is_active"] and key[2] == "student"}
        closed = {name for name, row in found.tables["classes"].items() if not row["is_shared"]}
        return shared == {("student", one.key) for one in day.users("student")} and {
            key for key in active if key[0] not in closed
        } == {(("class", one.class_index), ("student", one.person), "student")
              for one in day.enrollments() if one.kind == "student"}  # fmt: skip


@pytest.fixture
def morning(everywhere: Callable[..., Everywhere]) -> Morning:
    return Morning(everywhere(MadeUpDistrict(61, 100, 2, many_terms=False, churn=0.05)))


def gone(before: Image, after: Image) -> list[Any]:
    """What was shared or active and is no longer."""
    return [(table, key) for table, rows in before.tables.items() for key, row in rows.items()
            for name in ("is_shared", "is_active") if row.get(name) and not after.tables[table][key][name]]  # fmt: skip


def check_untouched(morning: Morning, ran: Ran, status: str, message: str, before: dict[str, Any]) -> None:
    assert ran.status == status
    assert message in ran.message
    assert "\n" not in ran.message
    assert morning.world.versions() == before


def check_adds_only(morning: Morning, before: Image, ran: Ran) -> None:
    """What was added and changed came; nothing went, and what people made is all there."""
    assert ran.status == "launched"
    assert morning.world.value("select is_complete_feed from sync.runs where id = %s", ran.id) is False
    after = morning.image()
    assert gone(before, after) == []
    assert {name for name in after.ids if name not in before.ids and name[0] == "student"}, "who came is there"
    assert not morning.is_whole(), "who left is still there"


# -- what the district says of itself ----------------------------------------------------------------------------------


def test_a_district_that_is_not_ready_is_skipped_with_the_reason(morning: Morning) -> None:
    before = morning.world.versions()
    for state, reason in (("pending", "setting up"), ("error", "in error")):
        for mode in ("edit", "reset"):
            morning.made_up.at_clever.state, morning.made_up.at_clever.error = state, "row 7: Kim Kestrel"
            ran = morning.sync(mode=mode)
            check_untouched(morning, ran, "skipped", reason, before)
            assert "Kestrel" not in ran.message
    morning.made_up.at_clever.state = "running"
    check_untouched(morning, morning.sync(), "skipped", "30 minutes", before)
    morning.made_up.at_clever.state = "success"
    assert morning.sync(max_deleted_percent=100).status == "launched"
    assert morning.is_whole()


def test_a_sync_of_clevers_own_is_waited_for(morning: Morning) -> None:
    morning.made_up.at_clever.state = "running"

    def end_it(seconds: float) -> None:
        morning.time.sleep(seconds)
        if sum(morning.time.slept) >= 300:
            morning.made_up.at_clever.state = "success"

    ran = morning.sync(sleep=end_it, max_deleted_percent=100)
    assert ran.status == "launched"
    assert sum(morning.time.slept) >= 300
    assert morning.is_whole()


def test_the_wait_may_be_longer_than_the_server_lets_a_transaction_idle(morning: Morning) -> None:
    morning.made_up.at_clever.state = "running"

    def end_it(_seconds: float) -> None:
        sleep(1.5)
        morning.made_up.at_clever.state = "success"

    world = morning.world
    run_id = world.begin()
    with world.app.cursor() as cursor:
        cursor.execute("set idle_in_transaction_session_timeout = '1s'")
    world.app.commit()
    try:
        counts = staging.load(world.app, run_id, world.district, morning.made_up.clever(sleep=end_it))
    finally:
        world.app.rollback()
        with world.app.cursor() as cursor:
            cursor.execute("reset idle_in_transaction_session_timeout")
        world.app.commit()
    assert counts["users"] > 100


@pytest.mark.parametrize("paused", [{"state": "paused"}, {"pause_start": "2020-06-01", "pause_end": "2999-08-01"}])
def test_a_paused_district_is_added_to_and_a_reset_is_refused(morning: Morning, paused: dict[str, str]) -> None:
    morning.made_up.server("clever").configure(**paused)
    before, versions = morning.image(), morning.world.versions()
    check_untouched(morning, morning.sync(mode="reset"), "failed", "paused", versions)
    things = kept(morning.world)
    check_adds_only(morning, before, morning.sync())
    now_kept = kept(morning.world)
    assert {name: now_kept[name] for name in things if name != "roles"} == {
        name: rows for name, rows in things.items() if name != "roles"
    }
    morning.made_up.server("clever").configure(state="success", pause_start=None, pause_end=None)
    assert morning.sync(max_deleted_percent=100).status == "launched"
    assert morning.is_whole()


def test_while_paused_nothing_goes_not_even_a_class_that_moved_to_a_deselected_school(world: World) -> None:
    world.run(MemorySource(town(), "clever:d1"))
    world.select_schools("S1")
    moved = town().with_("c-t1", school_source_id="S2").with_("a2", status="tobedeleted")
    for reason, shared in (("The district's sync is paused at Clever.", True), ("", False)):
        source = MemorySource(moved, "clever:d1", adds_only=reason)
        assert world.run(source, max_deleted_percent=100).status == "launched"
        assert world.class_("c-t1")["is_shared"] is shared
        assert world.person("a2")["is_shared"] is shared


def test_a_last_sync_that_moves_once_voids_the_read_and_the_newest_day_is_read(morning: Morning) -> None:
    morning.meanings.learn(morning.made_up.district.day(3))
    morning.fault("moved", "*/courses", nth=1)
    assert morning.sync(max_deleted_percent=100).status == "launched"
    assert morning.made_up.at_clever.day == 3
    assert morning.is_whole()


def test_a_last_sync_that_keeps_moving_adds_only(morning: Morning) -> None:
    morning.fault("revision", "*/courses")
    before, versions = morning.image(), morning.world.versions()
    check_untouched(morning, morning.sync(mode="reset"), "failed", "three times", versions)
    check_adds_only(morning, before, morning.sync())


def test_a_district_that_changes_in_every_read_is_read_four_times_and_added_to(morning: Morning) -> None:
    for day in range(3, 7):
        morning.meanings.learn(morning.made_up.district.day(day))
    morning.fault("moved", "*/terms", match="limit=30")
    before = morning.image()
    check_adds_only(morning, before, morning.sync(max_deleted_percent=100))
    assert morning.made_up.at_clever.day == 6, "read once, and three times again"
    morning.made_up.server("clever").clear_faults()
    assert morning.sync(max_deleted_percent=100).status == "launched"
    assert morning.is_whole()


def test_whoever_presses_start_sync_gets_a_sync_also_where_last_sync_did_not_move(morning: Morning) -> None:
    first = morning.sync(max_deleted_percent=100)
    versions = morning.world.versions()
    second = morning.sync()
    revision = "select source_revision from sync.runs where id = %s"
    assert morning.world.value(revision, first.id) == morning.world.value(revision, second.id)
    assert (second.status, second.message) == ("launched", "")
    assert morning.world.versions() == versions


# -- what goes wrong on the way ----------------------------------------------------------------------------------------


NO_ROSTER: list[tuple[dict[str, Any], str]] = [
    ({"kind": "html", "path": "*/users"}, "web page"),
    ({"kind": "no_envelope", "path": "*/sections"}, "'data'"),
    ({"kind": "foreign_link", "path": "*/users"}, "another"),
    ({"kind": "garbled", "path": "*/sections"}, "cut off"),
    ({"kind": "truncated", "path": "*/sections"}, "cut off"),
    ({"kind": "status", "path": "*/sections", "status": 401}, "401"),
    ({"kind": "status", "path": "*/sections", "status": 403}, "403"),
    ({"kind": "status", "path": "*/sections", "status": 404}, "404"),
    ({"kind": "status", "path": "*/sections", "status": 500}, "500"),
    ({"kind": "status", "path": "*/terms", "status": 429}, "429"),
    ({"kind": "drop", "path": "*/schools"}, "cannot be reached"),
]


def test_a_full_minute_is_waited_out_until_clevers_own_reset(morning: Morning) -> None:
    server = morning.made_up.server("clever")
    server.configure(rate_limit=12)
    cast("CleverSite", server.site()).rate.clock = morning.time
    ran = morning.sync(max_deleted_percent=100)
    assert (ran.status, ran.message) == ("launched", "")
    assert any(request.status == 429 for request in server.requests)
    assert 58 < max(morning.time.slept) <= 62, "as long as X-RateLimit-Reset says, not as long as a guess"
    assert morning.is_whole()


def test_a_clever_that_gives_no_totals_is_taken_at_its_pages_word(morning: Morning) -> None:
    morning.made_up.server("clever").configure(counts=False)
    ran = morning.sync(max_deleted_percent=100)
    assert ran.status == "launched"
    assert morning.world.value("select is_complete_feed from sync.runs where id = %s", ran.id)
    assert morning.is_whole(), "who left is gone: the pages led from the first to the last"


def test_what_is_no_roster_fails_the_run_and_changes_nothing(morning: Morning) -> None:
    before = morning.world.versions()
    for fault, message in NO_ROSTER:
        morning.fault(**fault)
        check_untouched(morning, morning.sync(), "failed", message, before)
        morning.made_up.server("clever").clear_faults()
    assert morning.sync(max_deleted_percent=100).status == "launched"
    assert morning.is_whole()


ONCE: list[dict[str, Any]] = [
    {"kind": "status", "path": "*/sections", "status": 429, "retry_after": "30", "nth": 2},
    {"kind": "status", "path": "*/users", "status": 503, "times": 2},
    {"kind": "truncated", "path": "*/users", "nth": 2},
    {"kind": "drop", "path": "*/sections", "nth": 2},
    {"kind": "wrong_total", "path": "*/users", "match": "count=true", "times": 1},
    {"kind": "duplicate", "path": "*/users", "match": "starting_after", "times": 1},
    {"kind": "skipped", "path": "*/users", "match": "starting_after", "times": 1},
    {"kind": "same_page", "path": "*/users", "match": "starting_after", "times": 1},
    {"kind": "empty", "path": "*/users", "match": "starting_after", "times": 1},
]


def test_what_clever_gets_wrong_once_is_retried_within_the_run(morning: Morning) -> None:
    for day, fault in enumerate(ONCE, 2):
        morning.learn(day)
        morning.fault(**fault)
        ran = morning.sync(max_deleted_percent=100)
        assert (ran.status, ran.message) == ("launched", ""), fault
        assert morning.is_whole(), fault
        assert morning.world.value("select is_complete_feed from sync.runs where id = %s", ran.id), fault
        assert any(one["hits"] for one in morning.made_up.server("clever").site().faults.describe()), fault
        morning.made_up.server("clever").clear_faults()


DOUBT: list[dict[str, Any]] = [
    {"kind": "wrong_total", "path": "*/users", "match": "count=true"},
    {"kind": "duplicate", "path": "*/users", "match": "starting_after"},
    {"kind": "skipped", "path": "*/users", "match": "starting_after"},
    {"kind": "empty", "path": "*/users", "match": "role=teacher"},
]


def test_what_keeps_being_in_doubt_removes_nobody(morning: Morning) -> None:
    for day, fault in enumerate(DOUBT, 2):
        morning.learn(day)
        before, versions = morning.image(), morning.world.versions()
        morning.fault(**fault)
        if fault is DOUBT[0]:  # a Reset asks what an Edit asks: whether all came
            check_untouched(morning, morning.sync(mode="reset"), "failed", "is incomplete", versions)
        ran = morning.sync(max_deleted_percent=100)
        assert ran.status == "launched", fault
        proof = morning.world.value("select proof -> 'users' from sync.runs where id = %s", ran.id)
        assert proof is False, fault
        assert [one for one in gone(before, morning.image()) if one[0] == "users"] == [], fault
        morning.made_up.server("clever").clear_faults()
        assert morning.sync(max_deleted_percent=100).status == "launched"
        assert morning.is_whole(), fault


def test_pages_that_are_too_large_are_halved(morning: Morning) -> None:
    morning.made_up.server("clever").configure(max_limit=40)
    assert morning.sync(page_size=10_000, max_deleted_percent=100).status == "launched"
    assert morning.is_whole()
    assert any("limit=39" in request.query for request in morning.made_up.server("clever").requests)


def test_a_rotated_token_is_found_by_the_application_and_refused_where_it_is_alone(morning: Morning) -> None:
    old, versions = morning.made_up.access, morning.world.versions()
    morning.fault("expired_token", "*/sections", nth=2)
    check_untouched(morning, morning.sync(), "failed", "401", versions)
    extra = {"district_id": morning.made_up.at_clever.id}
    application = replace(old, login="demo-client", password="demo-secret", extra=extra)
    morning.made_up.server("clever").clear_faults()
    morning.fault("expired_token", "*/sections", nth=2)
    assert morning.sync(access=application, max_deleted_percent=100).status == "launched"
    assert morning.is_whole()


def test_a_district_that_ended_the_connection_fails_and_loses_nothing(morning: Morning) -> None:
    versions, access = morning.world.versions(), morning.made_up.access
    application = replace(access, login="demo-client", password="demo-secret",
                          extra={"district_id": morning.made_up.at_clever.id})  # fmt: skip
    morning.made_up.at_clever.is_connected = False
    check_untouched(morning, morning.sync(), "failed", "401", versions)
    check_untouched(morning, morning.sync(access=application), "failed", "lists no token of this district", versions)
    wrong = replace(application, password="another")
    check_untouched(morning, morning.sync(access=wrong), "failed", "401", versions)
    person = replace(access, password="il-token-of-a-person")
    check_untouched(morning, morning.sync(access=person), "failed", "401", versions)
    morning.made_up.at_clever.is_connected, morning.made_up.at_clever.secure_sync = True, False
    check_untouched(morning, morning.sync(), "failed", "403", versions)


def test_students_whom_the_token_cannot_read_are_counted_and_not_failed(morning: Morning) -> None:
    things = kept(morning.world)
    morning.made_up.at_clever.hidden_students = 5
    ran = morning.sync(max_deleted_percent=100)
    assert ran.status == "launched"
    dangling = morning.world.findings(ran, "dangling_user")
    told = morning.world.value("select (feed -> 'dangling' ->> 'users')::int from sync.runs where id = %s", ran.id)
    assert told == len(dangling) > 50
    assert morning.world.counts(ran, "enrollments")["warned"] == told
    hidden = [row for name, row in morning.image().tables["users"].items() if name[0] == "student" and name[1] % 5 == 1]
    assert hidden
    assert not any(row["is_shared"] for row in hidden), "archived, since they were known"
    now_kept = kept(morning.world)
    assert [now_kept[name] for name in ("licenses", "class books", "books")] == [
        things[name] for name in ("licenses", "class books", "books")
    ]
