"""K2b: an id that is given to someone else is noticed, in people and in classes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.playing import Play
from tests.cases.rosters import school_of
from tests.cases.state import State

FAILS = pytest.mark.xfail(strict=True, reason="issue 14, K2b")
KINDS = ("oneroster_csv", "oneroster", "clever")


@FAILS
def test_another_class_under_the_same_id_asks_for_no_books(case: Callable[..., State]) -> None:
    """PB-18: title, course, term, lead and all students of a class id differ in August."""
    end = case("PB-18")
    assert end.needs_books() == set()
    assert end.run.mail_to("t9@d.example") == ""
    assert end.run.about("994_1001")


@FAILS
def test_an_id_of_someone_who_left_gives_nobody_their_books(case: Callable[..., State]) -> None:
    """PB-19: a student number, which is the sourcedId, comes back as another person."""
    end = case("PB-19")
    (old,) = [person for person in end.people if person.books]
    new = end.named("Lisa Lee")
    assert (new.is_shared, new.source_id) == (True, "ABC1")
    assert not old.is_shared
    assert old.given_name == "Andrew"
    assert end.reviews == ((new, old),)


@FAILS
def test_a_former_id_gives_nobody_the_books_of_its_owner(case: Callable[..., State]) -> None:
    """PB-19p: an id that a person had before is given to another."""
    end = case("PB-19p")
    old, new = end.named("Xena Ray"), end.named("Yuri Zed")
    assert (old.books, new.books) == (1, 0)
    assert (old.is_shared, new.is_shared) == (False, True)


@FAILS
@pytest.mark.parametrize("kind", KINDS)
def test_an_id_that_means_another_at_once_leaves_the_portals_values(play: Callable[..., Play], kind: str) -> None:
    played = play(kind=kind)
    played.edit(
        school_of().teacher("P1", "A", given_name="Jane", family_name="Doe", identifier="1", email="jd@d.example")
    )
    played.license("P1")
    played.edit(
        school_of().teacher("P1", "A", given_name="Max", family_name="Roe", identifier="2", email="mr@d.example")
    )
    end = played.state()
    (owner,) = [person for person in end.people if person.licenses]
    assert (owner.name, owner.email) == ("Jane Doe", "jd@d.example")
    assert [finding.severity for finding in end.run.about("P1")] == ["error"]


@FAILS
def test_swapped_ids_leave_both_rows_as_they_are(play: Callable[..., Play]) -> None:
    played = play()
    ann = {"given_name": "Ann", "family_name": "Ray", "identifier": "1", "email": "ann@d.example"}
    bob = {"given_name": "Bob", "family_name": "Kay", "identifier": "2", "email": "bob@d.example"}
    played.edit(school_of().student("P1", "A", **ann).student("P2", "A", **bob).enroll("C1", "P1"))
    played.books("C1", "P1")
    played.edit(school_of().student("P1", "A", **bob).student("P2", "A", **ann).enroll("C1", "P2"))
    end = played.state()
    (owner,) = [person for person in end.people if person.books]
    assert owner.name == "Ann Ray"
    assert {finding.source_id for finding in end.run.findings if finding.severity == "error"} >= {"P1", "P2"}


@FAILS
@pytest.mark.parametrize("kind", KINDS)
def test_a_teachers_id_that_comes_back_as_another_brings_no_license(play: Callable[..., Play], kind: str) -> None:
    """Nobody has an email or a number: only the names are known, and both differ."""
    played = play(kind=kind)
    nothing = {"identifier": "", "email": ""}
    played.edit(school_of().teacher("P1", "A", given_name="Jane", family_name="Doe", **nothing))
    played.license("P1")
    played.edit(school_of())
    played.edit(school_of().teacher("P1", "A", given_name="Max", family_name="Roe", **nothing))
    end = played.state()
    assert (end.named("Jane Doe").licenses, end.named("Max Roe").licenses) == (1, 0)
    assert end.asked("teacher_needs_license") >= {"P1"}
    assert [(new.name, old.name) for new, old in end.reviews] == [("Max Roe", "Jane Doe")]


@pytest.mark.parametrize(
    "change",
    [{"family_name": "Roe", "email": "new@d.example"}, {"given_name": "Max", "family_name": "Roe"}],
    ids=["married, with a new email", "a new name, number and email as before"],
)
def test_an_id_with_one_agreeing_fact_is_the_same_person(play: Callable[..., Play], change: dict[str, str]) -> None:
    played = play()
    jane = {"given_name": "Jane", "family_name": "Doe", "identifier": "1", "email": "jd@d.example"}
    played.edit(school_of().teacher("P1", "A", **jane))
    played.license("P1")
    played.edit(school_of())
    played.edit(school_of().teacher("P1", "A", **{**jane, **change}))
    person = played.state().person("P1")
    assert (person.licenses, person.is_shared, person.family_name) == (1, True, "Roe")


@FAILS
@pytest.mark.parametrize("kind", ["oneroster", "clever"])
def test_another_class_under_the_same_id_is_told_from_every_source(play: Callable[..., Play], kind: str) -> None:
    played = play(kind=kind)
    roster = school_of(0)
    roster.collections["classes"].clear()
    roster.collections["enrollments"].clear()
    roster.teacher("T9", "A", identifier="t9")
    for source_id in ("P1", "P2", "N1", "N2"):
        roster.student(source_id, "A")
    roster.term("Y1", "2025", "2025-08-15", "2026-06-10").term("Y2", "2026", "2026-08-15", "2027-06-10")
    played.edit(
        roster.copy().class_("K1", "A", teachers="T1", students=["P1", "P2"], title="Art", term_source_ids="Y1")
    )
    played.books("K1", "P1", "P2")
    played.edit(
        roster.copy().class_("K1", "A", teachers="T9", students=["N1", "N2"], title="Law", term_source_ids="Y2")
    )
    end = played.state()
    assert end.needs_books() == set()
    assert end.run.about("K1")
