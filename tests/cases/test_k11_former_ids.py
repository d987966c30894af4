"""K11: former ids and state ids that a source gives are read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.playing import Play
from tests.cases.rosters import csv_with_column, school_of
from tests.cases.state import State

FAILS = pytest.mark.xfail(strict=True, reason="issue 14, K11")


@FAILS
def test_a_legacy_id_names_the_same_person(case: Callable[..., State]) -> None:
    """PB-37: Clever ids of v2 become ids of v3, and SIS ids change in the same summer."""
    end = case("PB-37")
    assert {end.person(f"v3s{number}").books for number in range(3)} == {1}
    assert len(end.people) == 44
    assert end.reviews == ()


@FAILS
def test_a_state_id_with_an_agreeing_name_is_the_same_person(case: Callable[..., State]) -> None:
    """PB-60: a district changes its SIS; after the question the books go on."""
    end = case("PB-60")
    assert end.runs[1].status in ("held", "launched")
    assert {end.person(f"n{number:02d}").books for number in range(12)} == {1}
    assert len(end.people) == 13


@FAILS
def test_a_record_of_two_roles_takes_the_row_of_its_first_role(case: Callable[..., State]) -> None:
    """PB-05: one record per role becomes one record with both."""
    end = case("PB-05")
    assert (end.person("1").licenses, end.person("1").role) == (1, "teacher")
    assert "1" not in end.asked("teacher_needs_license")


def _moved(old: str, given: str, family: str) -> dict[str, str]:
    return {"given_name": given, "family_name": family, "identifier": old, "email": ""}


@FAILS
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster"])
def test_a_former_id_in_the_metadata_names_the_same_person(play: Callable[..., Play], kind: str) -> None:
    played = play(kind=kind)
    name = "metadata.ic.legacysourceId"
    played.edit(school_of(8).student("P1", "A", **_moved("o1", "Ann", "Ray")).enroll("C1", "P1"))
    played.books("C1", "P1")
    after = school_of(8).student("P2", "A", **_moved("n1", "Ann", "Kay"), **{name: "P1"}).enroll("C1", "P2")
    played.edit(csv_with_column(after, "users.csv", name, {"P2": "P1"}) if kind == "oneroster_csv" else after)
    end = played.state()
    assert (end.person("P2").books, len(end.people)) == (1, 10)


@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster", "clever"])
def test_a_former_id_without_an_agreeing_name_proves_nothing(play: Callable[..., Play], kind: str) -> None:
    played = play(kind=kind)
    name = "metadata.ic.legacysourceId"
    played.edit(school_of(8).student("P1", "A", **_moved("o1", "Ann", "Ray")).enroll("C1", "P1"))
    played.books("C1", "P1")
    more = {name: "P1", "legacy_id": "P1"}
    after = school_of(8).student("P2", "A", **_moved("n1", "Max", "Oh"), **more).enroll("C1", "P2")
    played.edit(csv_with_column(after, "users.csv", name, {"P2": "P1"}) if kind == "oneroster_csv" else after)
    end = played.state()
    assert (end.person("P1").books, end.person("P2").books) == (1, 0)


@FAILS
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster", "clever"])
def test_a_state_id_finds_a_teacher_again(play: Callable[..., Play], kind: str) -> None:
    played = play(kind=kind)

    def feed(source_id: str, number: str, family: str) -> object:
        roster = school_of(8).teacher(source_id, "A", **_moved(number, "Eva", family), state_id="TX-9")
        name = "metadata.stateId"
        return csv_with_column(roster, "users.csv", name, {source_id: "TX-9"}) if kind == "oneroster_csv" else roster

    played.edit(feed("P1", "o1", "Fox"))  # type: ignore[arg-type]
    played.license("P1")
    played.edit(feed("P2", "n1", "Fox-Hale"))  # type: ignore[arg-type]
    assert played.state().person("P2").licenses == 1


def test_a_state_id_without_an_agreeing_name_proves_nothing(play: Callable[..., Play]) -> None:
    played = play(kind="clever")
    played.edit(school_of(8).teacher("P1", "A", **_moved("o1", "Eva", "Fox"), state_id="TX-9"))
    played.license("P1")
    played.edit(school_of(8).teacher("P2", "A", **_moved("n1", "Max", "Oh"), state_id="TX-9"))
    end = played.state()
    assert (end.person("P1").licenses, end.person("P2").licenses) == (1, 0)
