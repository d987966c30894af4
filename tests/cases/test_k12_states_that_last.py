"""K12: a state that lasts is told, once, to those who can end it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.cases.playing import DESK, Play
from tests.cases.rosters import school_of
from tests.cases.servers import Quirk
from tests.cases.state import RunEnd, State

FAILS = pytest.mark.xfail(strict=True, reason="issue 14, K12")


def _tells_of_three_nights(run: RunEnd) -> bool:
    return re.search(r"\b(3|three) nights\b", run.mail_to(DESK)) is not None


@FAILS
def test_a_district_that_always_runs_is_read(case: Callable[..., State]) -> None:
    """X1: Clever's state is 'running' every night, and its data does not move."""
    end = case("X1")
    assert [run.status for run in end.runs[:5]] == ["launched"] * 5
    assert [run.is_complete for run in end.runs[:3]] == [False, False, True]


@FAILS
def test_a_fall_that_stays_becomes_a_question(case: Callable[..., State]) -> None:
    """PB-21: 12 schools, then 4 for good."""
    end = case("PB-21")
    assert end.runs[1].status == "launched"
    assert [run.status for run in end.runs[3:6]] == ["held"] * 3
    assert "8 of 12" in end.runs[3].message
    assert end.run.status == "launched"
    assert len([school for school in end.schools if school.is_shared]) == 4


@FAILS
def test_an_old_file_is_told_once(case: Callable[..., State]) -> None:
    """PB-26: the file is 21 days old and the same each night."""
    end = case("PB-26")
    about = [run for run in end.runs if re.search(r"\b2\d days\b", run.mail_to(DESK))]
    assert [run.id for run in about] == [end.runs[2].id]


@FAILS
def test_a_first_load_whose_enrollments_are_all_gone_says_so(case: Callable[..., State]) -> None:
    """PB-59: all 52 enrollments come as tobedeleted; later that is a question."""
    end = case("PB-59")
    assert re.search(r"\b52 enrollments\b", end.runs[0].words)
    assert end.run.status == "held"


@FAILS
@pytest.mark.parametrize("state", ["pending", "error"])
def test_three_skipped_nights_are_told_once_and_weekly_after_that(play: Callable[..., Play], state: str) -> None:
    quirks = [Quirk("districts", night=night, state=state) for night in range(2, 12)]
    played = play(kind="clever", quirks=quirks)
    played.edit(school_of())
    played.subscribe()
    for _ in range(8):
        played.pass_days(1)
        played.edit(school_of())
    told = [place for place, run in enumerate(played.ends[1:], 1) if _tells_of_three_nights(run)]
    assert told == [3]


@FAILS
def test_three_nights_incomplete_for_the_same_reason_are_told_once(play: Callable[..., Play]) -> None:
    quirks = [Quirk("terms", status=403), Quirk("courses", status=403)]
    played = play(kind="oneroster", quirks=quirks)
    roster = school_of(8)
    doubled = roster.copy().add("users", dict(roster.collections["users"][-1]))
    played.edit(roster)
    played.subscribe()
    for _ in range(5):
        played.pass_days(1)
        played.edit(doubled)
    told = [place for place, run in enumerate(played.ends[1:], 1) if _tells_of_three_nights(run)]
    assert told == [3]


@FAILS
@pytest.mark.parametrize("missing", ["users", "orgs"])
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster"])
def test_a_source_that_suddenly_gives_nothing_is_told(play: Callable[..., Play], kind: str, missing: str) -> None:
    played = play(kind=kind)
    roster = school_of(8)
    played.edit(roster)
    end = played.edit(roster.without_all(missing, "enrollments", "classes"))
    state = played.state()
    assert (end.status, len(state.shared), state.school("A").is_shared) == ("launched", 9, True)
    assert re.search("no (people|schools|school|one)|nobody", end.words)


@FAILS
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster"])
def test_a_teacher_called_gone_who_leads_a_living_class_is_told(play: Callable[..., Play], kind: str) -> None:
    played = play(kind=kind)
    roster = school_of(8)
    played.edit(roster)
    end = played.edit(roster.with_("T1", status="tobedeleted"))
    assert end.about("T1")


@FAILS
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster"])
def test_a_first_load_of_gone_enrollments_says_so_from_every_source(play: Callable[..., Play], kind: str) -> None:
    played = play(kind=kind)
    roster = school_of(8)
    for record in roster.collections["enrollments"]:
        record["status"] = "tobedeleted"
    assert re.search(r"\b9 enrollments\b", played.edit(roster).words)
