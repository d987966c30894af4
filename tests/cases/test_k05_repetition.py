"""K5: repetition that is a source's style is folded and passes; only contradictions count as damage."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.playing import Play
from tests.cases.rosters import school_of
from tests.cases.state import State
from tests.dsl.roster import Roster

FAILS = pytest.mark.xfail(strict=True, reason="issue 14, K5")


@FAILS
def test_gone_rows_of_former_schools_stop_no_run(case: Callable[..., State]) -> None:
    """PB-57: 40 of 100 students have a second row, tobedeleted at their old school."""
    end = case("PB-57")
    assert [run.status for run in end.runs] == ["launched", "launched"]
    assert len([person for person in end.people if person.is_shared and person.role == "student"]) == 100


@FAILS
def test_a_row_per_role_over_rest_is_a_whole_list(case: Callable[..., State]) -> None:
    """PB-08: a person once per role under one id, and the total counts the rows."""
    end = case("PB-08")
    assert {run.status for run in end.runs} == {"launched"}
    assert [run.reasons for run in end.runs] == [{}] * 5
    assert "S11" not in end.shared


@FAILS
def test_one_bad_row_of_a_small_district_costs_one_row(case: Callable[..., State]) -> None:
    """X6-floor: 1 of 4 classes names a school that is not shared."""
    end = case("X6-floor")
    assert [run.status for run in end.runs] == ["launched", "launched"]
    assert end.run.about("C9")


@FAILS
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster"])
def test_a_row_per_school_for_everybody_is_a_style(play: Callable[..., Play], kind: str) -> None:
    played = play(kind=kind)
    roster = school_of(12).school("B", name="Baker")
    for record in list(roster.collections["users"]):
        roster.add("users", {**record, "org_source_ids": "B"})
    for _ in range(2):
        played.edit(roster)
    end = played.state()
    assert (end.run.status, end.run.reasons) == ("launched", {})
    assert {person.schools for person in end.people} == {("A", "B")}


@FAILS
def test_a_class_per_co_teacher_is_a_style(play: Callable[..., Play]) -> None:
    """Each class comes once per teacher, with another class code."""
    played = play()
    roster = school_of(2)
    for number in range(8):
        roster.class_(f"K{number}", "A", teachers="T1", students=["S0"], title=f"Class {number}")
        roster.class_(f"K{number}", "A", title=f"Class {number}", class_code=f"co-{number}")
    played.edit(roster)
    end = played.state()
    assert end.run.status == "launched"
    assert len(end.classes) == 9


@FAILS
@pytest.mark.parametrize("pages", [100, 3], ids=["one page", "several pages"])
def test_a_person_who_left_goes_although_others_come_per_role(play: Callable[..., Play], pages: int) -> None:
    played = play(kind="oneroster", page_size=pages)
    roster = school_of(8)
    roster.teacher("S0", "A", given_name="Sam0", family_name="Sol0", email="", identifier="n0")
    roster.collections["users"].sort(key=lambda record: record["source_id"])
    played.edit(roster)
    played.edit(roster.without("S7"))
    assert "S7" not in played.state().shared


def test_an_identical_row_twice_still_proves_nothing(play: Callable[..., Play]) -> None:
    """It is what a page looks like that shifted while it was read."""
    played = play(kind="oneroster")
    roster = school_of(8)
    roster.add("users", dict(roster.collections["users"][-1]))
    played.edit(roster)
    played.edit(roster.without("S0"))
    end = played.state()
    assert "users" in end.run.reasons
    assert "S0" in end.shared


@FAILS
@pytest.mark.parametrize("bad", [1, 2, 4])
def test_fewer_bad_rows_than_the_floor_stop_nothing(play: Callable[..., Play], bad: int) -> None:
    played = play()
    roster = Roster().school("A", name="Adams").teacher("T1", "A").class_("C1", "A", teachers="T1")
    for number in range(bad):
        roster.class_(f"K{number}", "elsewhere")
    played.edit(roster)
    end = played.state()
    assert (end.run.status, {row.source_id for row in end.classes}) == ("launched", {"C1"})
    assert {f"K{number}" for number in range(bad)} <= {finding.source_id for finding in end.run.findings}


def test_many_ids_that_mean_two_people_stop_the_run(play: Callable[..., Play]) -> None:
    played = play()
    roster = school_of(10)
    for number in range(10):
        roster.student(f"S{number}", "A", given_name=f"Other{number}", family_name=f"Else{number}",
                       identifier=f"o{number}", email=f"o{number}@d.example")  # fmt: skip
    played.edit(roster)
    end = played.state()
    assert (end.run.status, end.people) == ("failed", ())
