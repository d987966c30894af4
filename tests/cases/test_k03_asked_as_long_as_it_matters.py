"""K3: who is who is asked for as long as it matters, not only when a row is added."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.playing import DESK, Play
from tests.cases.rosters import school_of
from tests.cases.state import State
from tests.dsl.roster import Roster

FAILS = pytest.mark.xfail(strict=True, reason="issue 14, K3")
ANN = {"given_name": "Ann", "family_name": "Lee", "identifier": "55", "email": "ann@d.example"}


@FAILS
def test_whoever_leaves_beside_a_living_twin_is_put_up_for_review(case: Callable[..., State]) -> None:
    """PB-04-teacher: a second id comes some days before the first one goes."""
    end = case("PB-04-teacher")
    assert end.person("uB").licenses == 1 or end.pairs() == {("uB", "uA")}


@FAILS
def test_no_reset_deletes_the_twin_of_a_living_row(case: Callable[..., State]) -> None:
    """PB-04-reset: the review that should be open keeps the row and its license."""
    end = case("PB-04-reset")
    assert sum(person.licenses for person in end.all_named("Ann Lee")) == 1


@FAILS
def test_a_record_per_school_is_one_person_with_one_license(case: Callable[..., State]) -> None:
    """PB-06: the record of the old row's school takes it over, the other is told as the same person."""
    end = case("PB-06")
    assert end.person("XA").licenses == 1
    assert len(end.asked("teacher_needs_license") & {"XA", "XB"}) <= 1
    assert end.run.mail_to(DESK).count("Ann Lee") <= 1
    assert "XB" in {new for new, _ in end.pairs()} or end.run.about("XB")


@FAILS
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster", "clever"])
def test_a_student_with_two_ids_is_put_up_when_one_goes(play: Callable[..., Play], kind: str) -> None:
    played = play(kind=kind)
    one = school_of(1).student("P1", "A", **ANN).enroll("C1", "P1")
    played.edit(one)
    played.books("C1", "P1")
    played.edit(one.copy().student("P2", "A", **ANN).enroll("C1", "P2"))
    played.edit(school_of(1).student("P2", "A", **ANN).enroll("C1", "P2"))
    assert played.state().pairs() == {("P2", "P1")}


@FAILS
def test_the_newer_twin_that_goes_is_put_up_too_and_once(play: Callable[..., Play]) -> None:
    played = play()
    one = school_of(1).teacher("P1", "A", **ANN)
    played.edit(one)
    played.edit(one.copy().teacher("P2", "A", **ANN))
    played.license("P2")
    for _ in range(2):
        played.edit(one)
    assert {frozenset(pair) for pair in played.state().pairs()} == {frozenset(("P1", "P2"))}
    assert len(played.state().reviews) == 1


@FAILS
def test_two_rows_of_one_person_in_a_first_feed_ask_for_one_license(play: Callable[..., Play]) -> None:
    played = play()
    roster = school_of(1).school("B", name="Baker").teacher("P1", "A", **ANN).teacher("P2", "B", **ANN)
    played.edit(roster)
    end = played.state()
    assert len(end.asked("teacher_needs_license") & {"P1", "P2"}) == 1
    assert len([finding for finding in end.run.findings if finding.source_id in ("P1", "P2")]) == 1


@FAILS
def test_a_row_per_school_keeps_its_license_in_a_reset(play: Callable[..., Play]) -> None:
    """An id per school; one school's row leaves, and the person is still shared under the other."""
    played = play()
    both = school_of(1).school("B", name="Baker").teacher("P1", "A", **ANN).teacher("P2", "B", **ANN)
    played.edit(both)
    played.license("P1")
    played.reset(both.without("P1"), max_deleted_percent=100)
    assert sum(person.licenses for person in played.state().all_named("Ann Lee")) == 1


@pytest.mark.parametrize("other", [{"identifier": "56", "email": "lee@d.example"}, {"given_name": "Abe"}])
def test_who_has_only_a_name_or_a_number_in_common_is_not_asked_for(
    play: Callable[..., Play], other: dict[str, str]
) -> None:
    played = play()
    roster = Roster().school("A", name="Adams").school("B", name="Baker").teacher("T1", "A")
    both = roster.copy().teacher("P1", "A", **ANN).teacher("P2", "B", **{**ANN, **other, "email": "other@d.example"})
    played.edit(both)
    played.edit(both.without("P1"))
    assert played.state().reviews == ()
