"""K4: rows of one id are never mixed column by column; only the living ones speak."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tests.cases.playing import Play
from tests.cases.rosters import school_of
from tests.cases.state import State

FAILS = pytest.mark.xfail(strict=True, reason="issue 14, K4")
ZOE = {"given_name": "Zoe", "family_name": "Diaz", "identifier": "z1", "email": "zoe@d.example"}
BOB = {"given_name": "Bob", "family_name": "Reed", "identifier": "b1", "email": "bob@d.example"}


@FAILS
def test_two_people_under_one_id_are_both_rejected(case: Callable[..., State]) -> None:
    """PB-17: a student and a teacher have the same sourcedId."""
    end = case("PB-17")
    assert "1042" not in {person.source_id for person in end.people}
    assert "error" in {finding.severity for finding in end.run.about("1042")}
    assert end.enrolled("C1") | end.enrolled("C2", "teacher") == set()


@FAILS
def test_whoever_is_enabled_in_one_row_is_enabled(case: Callable[..., State]) -> None:
    """PB-07: enabledUser is false in the row of one school."""
    end = case("PB-07")
    assert end.person("T1").is_enabled
    assert end.person("AD").is_enabled
    assert "A" not in end.asked("school_needs_admin")
    assert "Sam1 Sol1" in end.run.mail_to("t1@d.example")


@FAILS
def test_a_class_has_the_dates_of_the_living_term(case: Callable[..., State]) -> None:
    """PB-58: a row per school year under one term id, the old ones tobedeleted."""
    found = case("PB-58").class_("C1")
    assert (found.starts_on, found.ends_on) == (date(2025, 8, 18), date(2025, 12, 19))


@FAILS
@pytest.mark.parametrize("is_reversed", [False, True])
def test_of_several_living_terms_the_latest_counts_with_a_finding(play: Callable[..., Play], is_reversed: bool) -> None:
    played = play()
    roster = school_of(1)
    terms = [("2024-08-20", "2024-12-20"), ("2026-08-18", "2026-12-18"), ("2025-08-19", "2025-12-19")]
    for starts_on, ends_on in reversed(terms) if is_reversed else terms:
        roster.term("F", "Fall", starts_on, ends_on)
    roster = roster.with_("C1", term_source_ids="F")
    played.edit(roster)
    end = played.state()
    assert (end.class_("C1").starts_on, end.class_("C1").ends_on) == (date(2026, 8, 18), date(2026, 12, 18))
    assert end.run.findings


@FAILS
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster"])
@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_known_person_whose_id_is_doubled_stays_as_they_are(
    play: Callable[..., Play], kind: str, is_reversed: bool
) -> None:
    played = play(kind=kind)
    roster = school_of(12)
    played.edit(roster.copy().student("P1", "A", **ZOE).enroll("C1", "P1"))
    played.books("C1", "P1")
    doubled = roster.copy().student("P1", "A", **ZOE).teacher("P1", "A", **BOB).enroll("C1", "P1")
    played.edit(doubled.reversed() if is_reversed else doubled)
    end = played.state()
    person = end.person("P1")
    assert (person.name, person.role, person.email) == ("Zoe Diaz", "student", "zoe@d.example")
    assert (person.books, person.is_shared) == (1, True)
    assert "P1" in end.enrolled("C1")
    assert "error" in {finding.severity for finding in end.run.about("P1")}


@FAILS
@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_new_persons_values_come_from_the_row_of_the_first_role(play: Callable[..., Play], is_reversed: bool) -> None:
    played = play()
    roster = school_of(12).teacher("P1", "A", **ZOE)
    roster.student("P1", "A", given_name="Anna", family_name="Diaz", identifier="a1", email="zz@d.example")
    played.edit(roster.reversed() if is_reversed else roster)
    person = played.state().person("P1")
    assert (person.role, person.name, person.sis_id, person.email) == ("teacher", "Zoe Diaz", "z1", "zoe@d.example")


def test_a_gone_row_of_another_person_says_nothing(play: Callable[..., Play]) -> None:
    """An id was given on, and the source still lists its former owner as tobedeleted."""
    played = play()
    played.edit(school_of(12).teacher("P1", "A", **{**BOB, "status": "tobedeleted"}).teacher("P1", "A", **ZOE))
    person = played.state().person("P1")
    assert (person.name, person.email, person.is_shared) == ("Zoe Diaz", "zoe@d.example", True)


@FAILS
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster"])
@pytest.mark.parametrize("is_reversed", [False, True])
def test_of_two_stays_in_one_class_the_open_one_counts(play: Callable[..., Play], kind: str, is_reversed: bool) -> None:
    played = play(kind=kind)
    stays = [{"source_id": "e1", "begins_on": "2026-08-17", "ends_on": "2026-09-10"},
             {"source_id": "e2", "begins_on": "2026-10-01", "ends_on": ""}]  # fmt: skip
    roster = school_of(1).student("P1", "A")
    for stay in reversed(stays) if is_reversed else stays:
        roster.enroll("C1", "P1", **stay)
    played.edit(roster)
    found = played.state().enrollment("C1", "P1")
    assert (found.is_active, found.begins_on, found.ends_on) == (True, date(2026, 10, 1), None)


@pytest.mark.parametrize("is_reversed", [False, True])
def test_of_two_ended_stays_the_later_counts(play: Callable[..., Play], is_reversed: bool) -> None:
    played = play()
    stays = [("e1", "2026-08-17", "2026-09-10"), ("e2", "2026-10-01", "2026-12-10")]
    roster = school_of(1).student("P1", "A")
    for source_id, begins_on, ends_on in reversed(stays) if is_reversed else stays:
        roster.enroll("C1", "P1", source_id=source_id, begins_on=begins_on, ends_on=ends_on)
    played.edit(roster)
    assert played.state().enrollment("C1", "P1").ends_on == date(2026, 12, 10)
