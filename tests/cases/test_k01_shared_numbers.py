"""K1: a number proves who somebody is only while it is one person's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.playing import Play
from tests.cases.rosters import school_of
from tests.cases.state import State
from tests.dsl.roster import Roster

FAILS = pytest.mark.xfail(strict=True, reason="issue 14, K1")
KINDS = ("oneroster_csv", "oneroster", "clever")
NO_VALUE = ("NULL", "null", "(null)", "N/A", "#N/A", "nan", "None", "0", "-")


@FAILS
def test_a_number_that_everybody_bears_pairs_nobody(case: Callable[..., State]) -> None:
    """PB-01: the identifier column holds the school's code."""
    end = case("PB-01")
    assert (end.person("T2").licenses, end.person("S2").books) == (0, 0)
    assert (end.person("T1").licenses, end.person("S1").books) == (1, 1)
    assert not end.shared & {"T1", "S1"}
    assert end.asked("teacher_needs_license") == {"T2"}
    assert ("S2", "C1") in end.needs_books()
    assert end.reviews == ()
    assert len(end.run.told(r"shared by \d+ people")) == 1


@FAILS
def test_the_word_null_is_no_number(case: Callable[..., State]) -> None:
    """PB-24: NULL as identifier, name, email and grade."""
    end = case("PB-24")
    assert end.person("S9").books == 0
    assert end.person("S8").books == 1
    assert not end.person("S8").is_shared
    assert {end.person(source_id).sis_id for source_id in ("S7", "S8", "S9")} == {None}
    assert end.person("S7").given_name is None
    assert ("S9", "C1") in end.needs_books()


@FAILS
def test_a_number_that_everybody_bears_makes_no_reviews(case: Callable[..., State]) -> None:
    """PB-39: every id changes, the number is the same for all; only people of the same full name are put up."""
    end = case("PB-39")
    assert [run.status for run in end.runs] == ["launched", "held", "launched"]
    assert end.pairs() == {(f"or--S{number}", f"S{number}") for number in range(24)}
    assert {person.books for person in end.people if person.is_shared} == {0}
    assert end.person("or--T1").licenses == 1
    assert len(end.run.told(r"shared by \d+ people")) == 1


@FAILS
@pytest.mark.parametrize("written", NO_VALUE)
def test_a_word_for_no_value_pairs_nobody(play: Callable[..., Play], written: str) -> None:
    played = play()
    roster = school_of(1)
    before = roster.copy().student("P1", "A", given_name="Ann", family_name="Ray", identifier=written, email="")
    after = roster.copy().student("P2", "A", given_name="Ann", family_name="Kay", identifier=written, email="")
    played.edit(before.enroll("C1", "P1"))
    played.books("C1", "P1")
    played.edit(after.enroll("C1", "P2"))
    end = played.state()
    assert (end.person("P1").books, end.person("P2").books) == (1, 0)
    assert end.person("P2").sis_id is None


@FAILS
@pytest.mark.parametrize("kind", KINDS)
def test_whoever_bears_a_number_of_all_is_new_from_every_source(play: Callable[..., Play], kind: str) -> None:
    played = play(kind=kind)
    roster = school_of(6)
    for record in roster.collections["users"]:
        record["identifier"] = "4411"
    gone = roster.copy().student("P1", "A", given_name="Rosa", family_name="Vega", identifier="4411", email="")
    come = roster.copy().student("P2", "A", given_name="Rosa", family_name="Luna", identifier="4411", email="")
    played.edit(gone.enroll("C1", "P1"))
    played.books("C1", "P1")
    played.edit(come.enroll("C1", "P2"))
    end = played.state()
    assert (end.person("P1").books, end.person("P2").books) == (1, 0)
    assert end.reviews == ()


@FAILS
def test_a_number_of_two_people_in_the_portal_is_left_to_a_person(play: Callable[..., Play]) -> None:
    """Siblings were given one number; one of them leaves and a third comes with it."""
    played = play()
    roster = school_of(1).student("P1", "A", given_name="Ann", family_name="Lee", identifier="55", email="")
    both = roster.copy().student("P2", "A", given_name="Abe", family_name="Lee", identifier="55", email="")
    third = roster.copy().student("P3", "A", given_name="Max", family_name="Lee", identifier="55", email="")
    played.edit(both.enroll("C1", "P2"))
    played.books("C1", "P2")
    played.edit(third.enroll("C1", "P3"))
    end = played.state()
    assert (end.person("P2").books, end.person("P3").books) == (1, 0)
    assert end.pairs() == {("P3", "P2")}


def test_a_number_of_two_people_in_the_feed_is_left_to_a_person(play: Callable[..., Play]) -> None:
    played = play()
    roster = school_of(1)
    before = roster.copy().teacher("P1", "A", given_name="Ann", family_name="Lee", identifier="55", email="")
    after = roster.copy()
    for source_id, given in (("P2", "Abe"), ("P3", "Amy")):
        after.teacher(source_id, "A", given_name=given, family_name="Lee", identifier="55", email="")
    played.edit(before)
    played.license("P1")
    played.edit(after)
    end = played.state()
    assert {end.person(source_id).licenses for source_id in ("P2", "P3")} == {0}
    assert end.pairs() == {("P2", "P1"), ("P3", "P1")}


def test_a_student_with_a_teachers_number_takes_nothing_from_the_proof(play: Callable[..., Play]) -> None:
    played = play()
    roster = school_of(1).student("P1", "A", given_name="Kim", family_name="Oh", identifier="77", email="")
    before = roster.copy().teacher("P2", "A", given_name="Eva", family_name="Fox", identifier="77", email="")
    after = roster.copy().teacher("P3", "A", given_name="Eva", family_name="Fox", identifier="77", email="")
    played.edit(before)
    played.license("P2")
    played.edit(after)
    assert played.state().person("P3").licenses == 1


def test_a_new_family_name_with_an_own_number_is_the_same_person(play: Callable[..., Play]) -> None:
    """Married, hyphenated: the number is one person's, and the given name agrees."""
    played = play()
    before = school_of(1).teacher(
        "P1", "A", given_name="Ann", family_name="Lee", identifier="55", email="lee@d.example"
    )
    after = school_of(1).teacher(
        "P2", "A", given_name="Ann", family_name="Lee-Ray", identifier="55", email="ray@d.example"
    )
    played.edit(before)
    played.license("P1")
    played.edit(after)
    assert played.state().person("P2").licenses == 1


@FAILS
@pytest.mark.parametrize("column", ["identifier", "nces_id", "state_id"])
def test_an_id_that_two_schools_bear_pairs_no_school(play: Callable[..., Play], column: str) -> None:
    played = play(kind="clever")
    ids = {"identifier": "", column: "990"}
    roster = Roster().school("A", name="Adams", **ids).teacher("T1", "A")
    played.edit(roster.copy().school("B", name="Baker", **ids).teacher("T2", "B"))
    played.license(schools=["B"])
    played.edit(roster.copy().school("C", name="Cedar", **ids).teacher("T3", "C"))
    end = played.state()
    assert (end.school("B").licenses, end.school("C").licenses) == (1, 0)
    assert not end.school("B").is_shared


def test_a_state_id_that_everybody_bears_pairs_nobody(play: Callable[..., Play]) -> None:
    played = play(kind="clever")
    roster = school_of(6)
    for record in roster.collections["users"]:
        record["state_id"] = "000000"
    ids = {"state_id": "000000", "email": "", "given_name": "Mia"}
    played.edit(roster.copy().student("P1", "A", family_name="Poe", **ids).enroll("C1", "P1"))
    played.books("C1", "P1")
    played.edit(roster.copy().student("P2", "A", family_name="Roe", **ids).enroll("C1", "P2"))
    end = played.state()
    assert (end.person("P1").books, end.person("P2").books) == (1, 0)
