"""K6: disabled people do not count as living: not in limits, not in items, not in emails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.playing import DESK, Play
from tests.cases.rosters import school_of
from tests.cases.state import State

FAILS = pytest.mark.xfail(strict=True, reason="issue 14, K6")


@FAILS
def test_disabled_people_do_not_disarm_a_limit(case: Callable[..., State]) -> None:
    """PB-10b: 65 of 100 enabled students are missing, 700 with the disabled ones."""
    end = case("PB-10b")
    assert end.run.status == "held"
    assert "65 of 100" in end.run.message


@FAILS
def test_disabled_people_need_no_license(case: Callable[..., State]) -> None:
    """PB-09: everybody who ever worked there comes, disabled."""
    end = case("PB-09")
    assert end.asked("teacher_needs_license") == set()
    assert "Gone0" not in end.run.mail_to(DESK)


@FAILS
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster"])
def test_an_item_opens_on_the_day_a_teacher_is_enabled(play: Callable[..., Play], kind: str) -> None:
    played = play(kind=kind)
    roster = school_of()
    played.edit(roster.copy().teacher("P1", "A", is_enabled="false"))
    assert "P1" not in played.state().asked("teacher_needs_license")
    played.subscribe()
    played.edit(roster.copy().teacher("P1", "A", is_enabled="true"))
    assert "P1" in played.state().asked("teacher_needs_license")


@FAILS
def test_a_disabled_student_needs_no_books_until_enabled(play: Callable[..., Play]) -> None:
    played = play()
    roster = school_of(1)
    played.edit(roster)
    played.books("C1", "S0")
    played.edit(roster.copy().student("P1", "A", is_enabled="false").enroll("C1", "P1"))
    end = played.state()
    assert (end.needs_books(), end.run.mail_to("t1@d.example")) == (set(), "")
    played.edit(roster.copy().student("P1", "A", is_enabled="true").enroll("C1", "P1"))
    end = played.state()
    assert end.needs_books() == {("P1", "C1")}
    assert "Given-P1" in end.run.mail_to("t1@d.example")


@FAILS
def test_an_item_closes_when_its_person_is_disabled(play: Callable[..., Play]) -> None:
    played = play()
    roster = school_of()
    played.edit(roster.copy().teacher("P1", "A"))
    assert "P1" in played.state().asked("teacher_needs_license")
    played.edit(roster.copy().teacher("P1", "A", is_enabled="false"))
    assert "P1" not in played.state().asked("teacher_needs_license")


@FAILS
def test_a_limit_counts_enabled_teachers_by_themselves(play: Callable[..., Play]) -> None:
    played = play(kind="oneroster")
    roster = school_of()
    for number in range(80):
        roster.teacher(f"O{number}", "A", is_enabled="false")
    for number in range(10):
        roster.teacher(f"P{number}", "A")
    played.edit(roster)
    end = played.edit(roster.without(*(f"P{number}" for number in range(6))))
    assert end.status == "held"
    assert "6 of 11" in end.message


def test_disabled_people_alone_are_judged_with_all(play: Callable[..., Play]) -> None:
    played = play()
    roster = school_of()
    for number in range(16):
        roster.teacher(f"O{number}", "A", is_enabled="false")
    played.edit(roster)
    assert played.edit(roster.without(*(f"O{number}" for number in range(5)))).status == "held"
