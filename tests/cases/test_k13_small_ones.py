"""K13: blank lines, organizations that are no schools, enrollments of people who left."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.playing import Play
from tests.cases.rosters import school_of
from tests.cases.state import State
from tests.dsl.csv_files import csv_files
from tests.dsl.roster import Roster

FAILS = pytest.mark.xfail(strict=True, reason="issue 14, K13")


@FAILS
def test_blank_lines_give_one_finding(case: Callable[..., State]) -> None:
    """PB-34b: 10,500 blank lines, then one ragged line."""
    end = case("PB-34b")
    (blank,) = end.run.of_rule("blank_line")
    assert "10,500" in blank.message
    assert end.run.of_rule("ragged_line")


@FAILS
def test_a_district_without_schools_is_told_which_types_came(case: Callable[..., State]) -> None:
    """PB-32: all schools have the type department."""
    end = case("PB-32")
    assert end.run.status == "failed"
    assert "department" in end.run.message
    assert "3 people" in end.run.message
    assert "1 class" in end.run.message


@FAILS
@pytest.mark.parametrize("blank", ["", "   ", ",,,"], ids=["empty", "spaces", "commas"])
@pytest.mark.parametrize("name", ["users.csv", "enrollments.csv"])
def test_blank_lines_of_any_kind_give_one_finding(play: Callable[..., Play], name: str, blank: str) -> None:
    files = csv_files(school_of(6))
    first, *rest = files[name].splitlines()
    end = play().edit(files | {name: "\r\n".join([first, *[blank] * 30, *rest, *[blank] * 20]) + "\r\n"})
    (found,) = end.of_rule("blank_line")
    assert "50" in found.message
    assert (end.status, end.reasons) == ("launched", {})


@FAILS
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster"])
@pytest.mark.parametrize("written", ["district", "department", "campus"])
def test_types_that_are_no_schools_are_named(play: Callable[..., Play], kind: str, written: str) -> None:
    roster = school_of(6).with_("A", type=written)
    end = play(kind=kind).edit(roster)
    assert end.status == "failed"
    assert written in end.message


@FAILS
def test_an_enrollment_of_someone_who_left_is_not_restored_by_a_feed_that_is_not_believed(
    play: Callable[..., Play],
) -> None:
    """The person is gone by the source's word; a list that is not whole still names their enrollment."""
    played = play()
    roster = school_of(8)
    played.edit(roster)
    played.edit(roster.without("S0"))
    later = roster.without_rows("S0")
    played.edit(csv_files(later, modes={"users": "delta"}))
    end = played.state()
    assert not end.person("S0").is_shared
    assert "S0" not in end.enrolled("C1")


def test_one_school_among_other_organizations_is_taken(play: Callable[..., Play]) -> None:
    played = play()
    roster = Roster().school("D", type="district").school("A").school("X", type="department").teacher("T1", "A")
    played.edit(roster)
    assert {row.source_id for row in played.state().schools} == {"A"}
