"""K7: nobody is asked to get the books of a class that they teach; class emails go to staff."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.playing import Play
from tests.cases.rosters import school_of
from tests.cases.state import State

FAILS = pytest.mark.xfail(strict=True, reason="issue 14, K7")


@FAILS
def test_a_teacher_listed_as_student_of_their_class_needs_no_books(case: Callable[..., State]) -> None:
    """PB-22: the item and the email are about the teacher."""
    end = case("PB-22")
    assert end.needs_books() == set()
    assert end.run.mail_to("t1@d.example") == ""


@FAILS
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster", "clever"])
def test_a_teacher_listed_as_student_of_anothers_class_needs_no_books(play: Callable[..., Play], kind: str) -> None:
    played = play(kind=kind)
    roster = school_of(1).teacher("P1", "A")
    played.edit(roster)
    played.books("C1", "S0")
    played.edit(roster.copy().enroll("C1", "P1", "student"))
    end = played.state()
    assert (end.needs_books(), end.run.mail_to("t1@d.example")) == (set(), "")


@FAILS
def test_a_school_admin_listed_as_student_needs_no_books(play: Callable[..., Play]) -> None:
    played = play(roles=("teacher", "student", "school_admin"))
    roster = school_of(1).user("P1", "administrator", "A")
    played.edit(roster)
    played.books("C1", "S0")
    played.edit(roster.copy().enroll("C1", "P1", "student"))
    assert played.state().needs_books() == set()


@FAILS
def test_a_student_who_teaches_the_class_needs_no_books_of_it(play: Callable[..., Play]) -> None:
    played = play()
    roster = school_of(1).student("P1", "A")
    played.edit(roster)
    played.books("C1", "S0")
    played.edit(roster.copy().enroll("C1", "P1", "student").enroll("C1", "P1", "teacher", source_id="e-t"))
    assert played.state().needs_books() == set()


@FAILS
def test_a_student_aide_gets_no_email_about_other_students(play: Callable[..., Play]) -> None:
    played = play()
    roster = school_of(1).student("P1", "A", email="aide@d.example").enroll("C1", "P1", "teacher")
    played.edit(roster)
    played.books("C1", "S0")
    played.edit(roster.copy().student("P2", "A").enroll("C1", "P2"))
    end = played.state()
    assert end.run.mail_to("aide@d.example") == ""
    assert "Given-P2" in end.run.mail_to("t1@d.example")
    assert ("P2", "C1") in end.needs_books()
