"""K2: no pair is made against a stronger fact that both sides know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cases.playing import Play
from tests.cases.rosters import school_of
from tests.cases.state import State
from tests.dsl.roster import Roster

FAILS = pytest.mark.xfail(strict=True, reason="issue 14, K2")


@FAILS
def test_a_class_code_in_another_school_is_another_class(case: Callable[..., State]) -> None:
    """PB-02: the code is a label; school, title, teacher and students differ."""
    end = case("PB-02")
    assert (end.class_("C100").is_shared, end.class_("C100").books) == (False, ("Algebra I",))
    assert end.class_("C200").books == ()
    assert end.enrolled("C200", "teacher") == {"T9"}
    assert end.needs_books() == set()


@FAILS
def test_a_student_with_a_teachers_email_is_not_the_teacher(case: Callable[..., State]) -> None:
    """PB-03a: same email and family name; role, given name and number differ."""
    end = case("PB-03a")
    assert (end.person("S9").role, end.person("S9").licenses) == ("student", 0)
    assert (end.person("T1").name, end.person("T1").licenses, end.person("T1").is_shared) == ("Jane Smith", 1, False)
    assert end.pairs() <= {("S9", "T1")}


@FAILS
def test_siblings_with_the_familys_email_are_two_people(case: Callable[..., State]) -> None:
    """PB-03b: a younger brother comes with the address of his sister who left."""
    end = case("PB-03b")
    assert end.person("S2").books == 0
    assert (end.person("S1").name, end.person("S1").books, end.person("S1").is_shared) == ("Ann Lee", 1, False)
    assert end.pairs() <= {("S2", "S1")}


@FAILS
def test_a_school_of_the_same_name_with_another_nces_id_is_another_school(case: Callable[..., State]) -> None:
    """PB-33: one Lincoln closes, another opens."""
    end = case("PB-33")
    assert (end.school("77").licenses, end.school("77").is_shared) == (0, True)
    assert (end.school("10").licenses, end.school("10").is_shared) == (1, False)
    assert end.school("10").nces_id != end.school("77").nces_id


@FAILS
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster", "clever"])
def test_two_numbers_that_differ_outweigh_an_email(play: Callable[..., Play], kind: str) -> None:
    """Father and son: the same full name and address, two numbers."""
    played = play(kind=kind)
    names = {"given_name": "John", "family_name": "Lee", "email": "lee@d.example"}
    played.edit(school_of(1).teacher("P1", "A", identifier="100", **names))
    played.license("P1")
    played.edit(school_of(1).teacher("P2", "A", identifier="200", **names))
    end = played.state()
    assert (end.person("P1").licenses, end.person("P2").licenses) == (1, 0)
    assert end.pairs() == {("P2", "P1")}


@pytest.mark.parametrize(("before", "after"), [("Rob", "Robert"), ("Robert", "Rob"), ("ROBERT", "Robert")])
def test_an_email_with_a_shorter_given_name_is_the_same_person(
    play: Callable[..., Play], before: str, after: str
) -> None:
    played = play()
    same = {"family_name": "Hale", "email": "hale@d.example", "identifier": ""}
    played.edit(school_of(1).teacher("P1", "A", given_name=before, **same))
    played.license("P1")
    played.edit(school_of(1).teacher("P2", "A", given_name=after, **same))
    assert played.state().person("P2").licenses == 1


@FAILS
def test_an_email_with_another_given_name_is_another_person(play: Callable[..., Play]) -> None:
    """A couple at one school shares an address; neither has a number."""
    played = play()
    same = {"family_name": "Hale", "email": "hale@d.example", "identifier": ""}
    played.edit(school_of(1).teacher("P1", "A", given_name="Rita", **same))
    played.license("P1")
    played.edit(school_of(1).teacher("P2", "A", given_name="Mark", **same))
    end = played.state()
    assert (end.person("P1").licenses, end.person("P2").licenses) == (1, 0)


@FAILS
def test_a_former_student_who_teaches_is_new(play: Callable[..., Play]) -> None:
    played = play()
    same = {"given_name": "Tom", "family_name": "Smith", "email": "tom@d.example", "identifier": ""}
    played.edit(school_of(1).student("P1", "A", **same).enroll("C1", "P1"))
    played.books("C1", "P1")
    played.edit(school_of(1).teacher("P2", "A", **same))
    end = played.state()
    assert (end.person("P1").books, end.person("P2").books) == (1, 0)
    assert end.person("P2").role == "teacher"


def _years() -> Roster:
    roster = school_of(2)
    roster.collections["classes"].clear()
    roster.collections["enrollments"].clear()
    roster.teacher("T9", "A", identifier="t9").student("N0", "A").student("N1", "A")
    return roster.term("Y1", "2025", "2025-08-15", "2026-06-10").term("Y2", "2026", "2026-08-15", "2027-06-10")


@FAILS
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster", "clever"])
@pytest.mark.parametrize(
    ("title", "teacher", "students"),
    [("Biology", "T9", ("S0", "S1")), ("Algebra", "T9", ("N0", "N1")), ("Algebra", "T1", ("N0", "N1"))],
    ids=["other title and lead", "other lead, term and students", "other term and students"],
)
def test_a_class_code_of_last_year_is_another_class(
    play: Callable[..., Play], kind: str, title: str, teacher: str, students: tuple[str, ...]
) -> None:
    played = play(kind=kind)
    code = {"class_code": "M-1"}
    before = _years().class_(
        "K1", "A", teachers="T1", students=["S0", "S1"], title="Algebra", term_source_ids="Y1", **code
    )
    after = _years().class_("K2", "A", teachers=teacher, students=students, title=title, term_source_ids="Y2", **code)
    played.edit(before)
    played.books("K1", "S0", "S1")
    played.edit(after)
    end = played.state()
    assert (end.class_("K1").books, end.class_("K2").books) == (("Book one",), ())
    assert not end.class_("K1").is_shared


def test_a_class_code_with_the_same_title_and_students_is_the_same_class(play: Callable[..., Play]) -> None:
    played = play()
    made: dict[str, Any] = {
        "teachers": "T1",
        "students": ["S0", "S1"],
        "title": "Algebra",
        "class_code": "M-1",
        "term_source_ids": "Y1",
    }
    played.edit(_years().class_("K1", "A", **made))
    played.books("K1", "S0")
    played.edit(_years().class_("K2", "A", **made))
    assert played.state().class_("K2").books == ("Book one",)


@FAILS
def test_a_school_of_the_same_name_with_another_state_id_is_another_school(play: Callable[..., Play]) -> None:
    played = play(kind="clever")
    roster = Roster().school("B", name="Baker").teacher("T1", "B")
    played.edit(roster.copy().school("A", name="Lincoln", identifier="", state_id="11").teacher("T2", "A"))
    played.license(schools=["A"])
    played.edit(roster.copy().school("C", name="Lincoln", identifier="", state_id="22").teacher("T3", "C"))
    end = played.state()
    assert (end.school("A").licenses, end.school("C").licenses) == (1, 0)
