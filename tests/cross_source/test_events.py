"""Clever's events between two nights: adds and updates only, once and in order; any doubt waits for the night."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from time import time as now
from typing import Any

import pytest

from include.simulator.district import MadeUpDistrict
from roster_sync.config.districts import SourceSettings
from roster_sync.core.errors import SyncRefused
from roster_sync.engine import freshen
from roster_sync.sources.clever.events import CleverEvents, newest_event
from tests.cross_source.everywhere import Everywhere, run
from tests.cross_source.portal_image import Image, Meanings, differences, image
from tests.dsl.world import Ran, World
from tests.sources.stub import Time


class Day:
    """A Clever district whose events are read between the nights."""

    def __init__(self, made_up: Everywhere, key: str = "busy") -> None:
        self.made_up, self.meanings = made_up, Meanings()
        self.world: World = made_up.world.elsewhere(key).registry(source=SourceSettings("clever", "conn"))

    def set_day(self, day: int) -> Day:
        self.made_up.set_day(day)
        self.meanings.learn(self.made_up.district.day(day))
        return self

    def night(self, **parameters: Any) -> Ran:
        return run(self.world, self.made_up.clever(has_events=True), **parameters)

    def events(self, since_id: str = "", taken_at: datetime | None = None, **options: Any) -> CleverEvents:
        """The source; its waits pass at once."""
        position = None if since_id else freshen.position(self.world.app, self.world.district)
        since = taken_at or (position.taken_at if position else datetime.now(timezone.utc))
        settings = SourceSettings("clever", "conn")
        since_id = since_id or (position.event_id if position else "")
        options = {"budget": None, **Time(now=now()).session, **options}
        return CleverEvents(settings, self.made_up.access, since_id=since_id, since=since, **options)

    def freshen(self, **which: Any) -> Ran:
        return run(self.world, self.events(**which), trigger="nightly", events=True)

    def position(self) -> str:
        return freshen.position(self.world.app, self.world.district).event_id

    def image(self) -> Image:
        return image(self.world, self.meanings)


@pytest.fixture
def busy(everywhere: Callable[..., Everywhere]) -> Day:
    return Day(everywhere(MadeUpDistrict(51, 150, 3, many_terms=False, churn=0.05))).set_day(1).set_day(2)


def scripted(everywhere: Callable[..., Everywhere], *acts: tuple[str, int]) -> Day:
    """A quiet district: its day 3 brings these acts and nothing else."""
    script = {2: [("student_marries", 50)], 3: list(acts)}  # Clever tells no position before the first event
    found = Day(everywhere(MadeUpDistrict(52, 60, 2, many_terms=False, churn=0, script=script))).set_day(1).set_day(2)
    assert found.night().status == "launched"
    return found.set_day(3)


def removed(before: Image, after: Image) -> list[Any]:
    """What was shared or active and is no longer."""
    return [
        (table, key)
        for table, rows in before.tables.items()
        for key, row in rows.items()
        for name in ("is_shared", "is_active")
        if row.get(name) and not after.tables[table][key][name]
    ]


def current(portal: Image) -> Image:
    """Without what has ended: what came and went again between the nights was there, and stays as such."""
    for name in ("memberships", "enrollments"):
        portal.tables[name] = {key: row for key, row in portal.tables[name].items() if row["is_active"]}
    return portal


def test_a_busy_day_takes_nothing_away_and_the_night_makes_it_whole(busy: Day) -> None:
    whole = Day(busy.made_up, "whole")
    whole.meanings = busy.meanings
    busy.night()
    whole.night()
    for number in (3, 4, 5):
        before = busy.set_day(number).image()
        ran = busy.freshen()
        assert (ran.status, ran.message) == ("launched", "")
        after = busy.image()
        assert removed(before, after) == []
        assert len(differences(before, after)) > 20
        assert {row["rule"] for row in busy.world.findings(ran)} <= {"waits_for_full_read", "malformed_email",
                                                                     "role_maps_to_nothing"}  # fmt: skip
        quiet = busy.world.versions()
        assert not busy.events().has_news()
        assert (busy.freshen().status, busy.world.versions() == quiet) == ("launched", True)
    for each in (busy, whole):
        assert each.night(max_deleted_percent=100).status == "launched"
    assert differences(*(current(each.image()) for each in (busy, whole))) == []


def test_the_same_events_again_write_nothing(busy: Day) -> None:
    busy.night()
    start = busy.position()
    busy.set_day(3).freshen()
    versions = busy.world.versions()
    assert busy.freshen(since_id=start).status == "launched"
    assert busy.world.versions() == versions


def test_a_new_student_comes_with_their_classes(everywhere: Callable[..., Everywhere]) -> None:
    day = scripted(everywhere, ("student_joins", 0))
    ran = day.freshen()
    assert ran.status == "launched"
    assert day.world.counts(ran, "students")["added"] == 1
    enrolled = [key for key, row in day.image().tables["enrollments"].items() if key[1] == ("student", 60)]
    assert len(enrolled) == len([one for one in day.made_up.district.day(3).enrollments() if one.person == 60])
    assert enrolled
    assert day.world.worklist("student_needs_books") == []


def test_a_changed_name_comes(everywhere: Callable[..., Everywhere]) -> None:
    day = scripted(everywhere, ("student_marries", 7), ("teacher_marries", 1))
    before = day.image()
    assert day.freshen().status == "launched"
    assert {(key, name) for _, key, name, _, _ in differences(before, day.image())} == {
        (("student", 7), "family_name"), (("teacher", 1), "family_name"),
    }  # fmt: skip


def test_who_leaves_and_what_closes_stays_until_the_night(everywhere: Callable[..., Everywhere]) -> None:
    day = scripted(everywhere, ("student_leaves", 7), ("teacher_leaves", 2), ("class_closes", 3))
    before = day.image()
    assert day.freshen().status == "launched"
    assert removed(before, day.image()) == []
    assert day.night(max_deleted_percent=100).status == "launched"
    gone = {key for table, key in removed(before, day.image()) if table in ("users", "classes")}
    assert gone == {("student", 7), ("teacher", 2), ("class", 3)}


def test_a_student_who_changes_classes_is_in_both_until_the_night(everywhere: Callable[..., Everywhere]) -> None:
    day = scripted(everywhere, ("class_splits", 4))
    before = day.image()
    ran = day.freshen()
    assert removed(before, day.image()) == []
    assert day.world.counts(ran, "enrollments")["added"] > 0
    assert day.night(max_deleted_percent=100).status == "launched"
    assert {table for table, _ in removed(before, day.image())} == {"enrollments"}


@pytest.mark.parametrize("act", ["student_gets_new_clever_id", "student_gets_new_sis_id"])
def test_someone_who_may_be_known_waits_for_the_night(everywhere: Callable[..., Everywhere], act: str) -> None:
    day = scripted(everywhere, (act, 5))
    before, versions = day.image(), day.world.versions()
    ran = day.freshen()
    assert (ran.status, day.world.versions() == versions) == ("launched", True)
    assert [row["rule"] for row in day.world.findings(ran)] == ["waits_for_full_read"]
    assert day.world.reviews() == set()
    day.night()
    assert day.image().ids == before.ids
    assert day.image().tables["users"]["student", 5]["is_shared"]


def test_a_sibling_with_the_family_address_is_not_taken_for_the_one_who_is_there(
    everywhere: Callable[..., Everywhere],
) -> None:
    day = scripted(everywhere, ("student_joins", 0))
    query = "update portal.users set email = %s, family_name = %s where source_id = %s returning id"
    new = day.made_up.district.day(3).person("student", 60)
    assert new is not None
    sibling = day.made_up.district.day(3).person_clever_id("student", 5)
    there = day.world.value(query, new.email, new.family_name, sibling)
    before = day.world.row("select * from portal.users where id = %s", there)
    ran = day.freshen()
    assert [row["rule"] for row in day.world.findings(ran)] == ["waits_for_full_read"]
    assert day.world.row("select * from portal.users where id = %s", there) == before


def test_a_school_that_opens_comes_with_the_night(everywhere: Callable[..., Everywhere]) -> None:
    day = scripted(everywhere, ("school_opens", 0))
    ran = day.freshen()
    assert (ran.status, day.world.plan_of(ran.id)["schools"]) == (
        "launched",
        {"added": [], "removed": [], "offered": []},
    )
    assert len(day.world.shared("schools")) == 2
    assert day.night().status == "launched"
    assert len(day.world.shared("schools")) == 3


def test_what_happens_in_a_deselected_school_is_left_alone(everywhere: Callable[..., Everywhere]) -> None:
    day = scripted(everywhere, ("student_joins", 0), ("class_splits", 4), ("student_marries", 7))
    names = day.meanings.names
    day.world.select_schools(*(one for one in day.world.ids("schools") if names[one] == ("school", 1)))
    versions = day.world.versions()
    ran = day.freshen()
    assert (ran.status, day.world.versions() == versions) == ("launched", True)
    assert day.world.findings(ran) == []


def test_more_changes_than_the_limits_allow_wait_for_the_night(everywhere: Callable[..., Everywhere]) -> None:
    day = scripted(everywhere, *(("student_marries", number) for number in range(50)))
    versions, position = day.world.versions(), day.position()
    ran = day.freshen()
    assert ran.status == "skipped"
    assert "full read" in ran.message
    assert (day.world.versions(), day.position()) == (versions, position)
    assert day.world.rows("select from sync.holds") == []


# -- when they may not run ---------------------------------------------------------------------------------------------


def refused(day: Day, **which: Any) -> str:
    """Refused before anything is read, and without a record."""
    before = day.world.value("select count(*) from sync.runs")
    with pytest.raises(SyncRefused) as refusal:
        day.freshen(**which)
    assert refusal.value.status == "skipped"
    assert day.world.value("select count(*) from sync.runs") == before
    return str(refusal.value)


def test_without_a_whole_read_there_is_no_place_to_begin(busy: Day) -> None:
    assert "reads everything" in refused(busy)
    busy.made_up.at_clever.state = "paused"
    busy.night()
    assert "reads everything" in refused(busy), "a paused district does not come whole"


def test_events_give_way_to_a_run_at_work(busy: Day) -> None:
    busy.night()
    busy.world.begin()
    busy.set_day(3)
    before = busy.world.value("select count(*) from sync.runs")
    with pytest.raises(SyncRefused, match="in progress") as refusal:
        busy.world.begin(events=True, is_alive=lambda *_: True)
    assert refusal.value.status == "skipped"
    assert busy.world.value("select count(*) from sync.runs") == before


def test_events_leave_an_open_question_open(busy: Day) -> None:
    busy.night()
    busy.made_up.at_clever.shared_schools = [0]
    held = busy.night()
    assert held.status == "held"
    busy.made_up.at_clever.shared_schools = None
    assert "question" in refused(busy.set_day(3))
    assert busy.world.row("select answer, superseded_by from sync.holds") == {"answer": None, "superseded_by": None}
    assert busy.world.answer("rejected", run=held.id)
    assert busy.freshen().status == "launched"


def test_a_gap_of_thirty_days_waits_for_the_night(busy: Day) -> None:
    busy.night()
    busy.world.do("update sync.event_cursors set taken_at = now() - interval '30 days'")
    ran = busy.set_day(3).freshen()
    assert ran.status == "skipped"
    assert "30 days" in ran.message


def test_an_expired_district_is_not_freshened_and_not_recorded_every_hour(busy: Day) -> None:
    busy.night()
    busy.world.do("update sync.settings set expires_on = current_date - 2")
    assert "expired" in refused(busy.set_day(3))


@pytest.mark.parametrize("state", ["pending", "error", "running"])
def test_a_district_that_is_not_ready_keeps_its_place(busy: Day, state: str) -> None:
    busy.night()
    position = busy.position()
    busy.set_day(3).made_up.at_clever.state = state
    assert busy.freshen().status == "skipped"
    assert busy.position() == position


BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "html", "path": "*/events"}, "failed", "web page"),
    ({"kind": "no_envelope", "path": "*/events"}, "failed", "'data'"),
    ({"kind": "foreign_link", "path": "*/events"}, "failed", "another"),
    ({"kind": "garbled", "path": "*/events"}, "failed", "cut off"),
    ({"kind": "truncated", "path": "*/events"}, "failed", "cut off"),
    ({"kind": "status", "path": "*/events", "status": 401}, "failed", "401"),
    ({"kind": "status", "path": "*/events", "status": 403}, "failed", "403"),
    ({"kind": "status", "path": "*/events", "status": 500}, "failed", "500"),
    ({"kind": "status", "path": "*/events", "status": 429}, "failed", "429"),
    ({"kind": "drop", "path": "*/courses"}, "failed", "cannot be reached"),
    ({"kind": "duplicate", "path": "*/events", "nth": 2}, "skipped", "two pages"),
    ({"kind": "same_page", "path": "*/events", "nth": 3}, "skipped", "order"),
]
"""What goes wrong on the way, how the run ends, and a word of its sentence."""


def test_a_reading_of_events_that_goes_wrong_changes_nothing_and_keeps_its_place(busy: Day) -> None:
    busy.night()
    position, versions = busy.position(), busy.set_day(3).world.versions()
    clever = busy.made_up.server("clever")
    for fault, status, message in BROKEN:
        clever.fault(**fault)
        ran = busy.freshen(page_size=20)
        assert (ran.status, message in ran.message) == (status, True), (fault, ran)
        assert (busy.position(), busy.world.versions()) == (position, versions), fault
        clever.clear_faults()
    clever.fault("status", "*/events", status=503, nth=2)
    clever.fault("status", "*/events", status=429, retry_after="20", nth=1)
    assert busy.freshen(page_size=20).status == "launched"
    assert busy.position() > position
    assert busy.world.versions() != versions


def test_a_paused_district_may_still_be_told_of(busy: Day) -> None:
    busy.night()
    before = busy.set_day(3).image()
    busy.made_up.at_clever.state = "paused"
    assert busy.freshen().status == "launched"
    assert removed(before, busy.image()) == []


def test_events_that_nobody_read_for_thirty_days_are_lost(everywhere: Callable[..., Everywhere]) -> None:
    busy = Day(everywhere(MadeUpDistrict(53, 40, 1, many_terms=False, churn=0.05))).set_day(1).set_day(2)
    busy.night()
    busy.world.do("update sync.event_cursors set taken_at = now() - interval '38 days'")
    position, versions = busy.position(), busy.set_day(40).world.versions()
    ran = busy.freshen()
    assert (ran.status, "full read" in ran.message) == ("skipped", True)
    assert (busy.position(), busy.world.versions()) == (position, versions)
    assert busy.night(max_deleted_percent=100).status == "launched"
    before = busy.set_day(41).image()
    assert busy.freshen().status == "launched"
    assert removed(before, busy.image()) == []


# -- the position in the events ------------------------------------------------------------------------------------


def test_a_whole_read_moves_the_place_and_a_preview_does_not(busy: Day) -> None:
    busy.night()
    first = busy.position()
    assert first == newest_event(busy.events()._api)
    busy.set_day(3)
    busy.night(preview_only=True)
    assert busy.position() == first
    busy.night(max_deleted_percent=100)
    assert busy.position() > first


def test_what_the_night_held_back_it_has_still_read(busy: Day) -> None:
    busy.night()
    first = busy.position()
    busy.set_day(3).made_up.at_clever.shared_schools = [0, 1]
    held = busy.night()
    assert (held.status, busy.world.plan_of(held.id)["scope"]) == ("held", "removals")
    second = busy.position()
    assert second > first
    assert busy.world.approve(held.id).status == "launched"
    assert busy.position() == second
