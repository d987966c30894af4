"""K10: a word is understood alike in every collection, from every source and by the test of the connection."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.playing import DATA, Play
from tests.cases.rosters import school_of
from tests.cases.servers import Quirk
from tests.cases.state import State
from tests.dsl.csv_files import csv_files
from tests.dsl.roster import Roster

FAILS = pytest.mark.xfail(strict=True, reason="issue 14, K10")
GRADES = {
    "Fifth grade": "05", "5th": "05", "Grade 5": "05", "Twelfth grade": "12", "11th Grade": "11", "First Grade": "01",
    "Preschool/Prekindergarten": "PK", "3rd": "03",
}  # fmt: skip


@FAILS
def test_a_class_is_found_again_by_a_lead_written_as_1(case: Callable[..., State]) -> None:
    """PB-30: primary is written 1 and 0."""
    end = case("PB-30")
    assert end.class_("C1new").books == ("Book one",)
    assert len(end.classes) == 1


@FAILS
def test_an_unknown_status_of_an_enrollment_is_told(case: Callable[..., State]) -> None:
    """PB-29: withdrawn, completed, deleted."""
    end = case("PB-29")
    found = [finding for finding in end.run.of_rule("unknown_status") if finding.entity == "enrollments"]
    assert found
    assert "S2" not in end.enrolled("C1")


@FAILS
def test_the_test_of_the_connection_lists_what_the_sync_takes(play: Callable[..., Play]) -> None:
    """PB-31: an organization type is written School."""
    played = play()
    report = played.probe(DATA / "PB-31" / "day1.zip")
    played.edit(DATA / "PB-31" / "day1.zip")
    assert report.is_ok
    assert {source_id for source_id, _ in report.schools} == {row.source_id for row in played.state().schools}


@FAILS
@pytest.mark.parametrize("written", ["SCHOOL", " school "])
def test_the_test_of_a_rest_connection_lists_what_the_sync_takes(play: Callable[..., Play], written: str) -> None:
    played = play(kind="oneroster")
    roster = school_of(2).with_("A", type=written)
    report = played.probe(roster)
    played.edit(roster)
    assert [source_id for source_id, _ in report.schools] == [row.source_id for row in played.state().schools] == ["A"]


@FAILS
@pytest.mark.parametrize("written", ["1", "yes", "Y", "TRUE ", "Yes"])
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster"])
def test_a_primary_flag_is_read_in_any_words(play: Callable[..., Play], kind: str, written: str) -> None:
    played = play(kind=kind)
    roster = school_of(1).with_("e-C1-T1", is_primary=written).teacher("T2", "A").enroll("C1", "T2", "teacher")
    played.edit(roster)
    end = played.state()
    assert (end.enrollment("C1", "T1").is_primary, end.enrollment("C1", "T2").is_primary) == (True, False)


@pytest.mark.parametrize(
    ("written", "is_enabled"),
    [("1", True), ("Yes", True), ("y", True), pytest.param("N", False, marks=FAILS), ("0", False)],
)
def test_an_enabled_flag_is_read_in_any_words(play: Callable[..., Play], written: str, is_enabled: bool) -> None:
    played = play()
    played.edit(school_of(1).with_("T1", is_enabled=written))
    assert played.state().person("T1").is_enabled is is_enabled


@FAILS
@pytest.mark.parametrize("written", GRADES)
@pytest.mark.parametrize("kind", ["oneroster_csv", "oneroster", "clever"])
def test_a_grade_in_words_is_read(play: Callable[..., Play], kind: str, written: str) -> None:
    played = play(kind=kind)
    played.edit(school_of(1).with_("S0", grades=written))
    end = played.state()
    assert (end.person("S0").grade, end.run.of_rule("unknown_grade")) == (GRADES[written], [])


@FAILS
def test_an_unknown_grade_is_told_once_with_its_count(play: Callable[..., Play]) -> None:
    played = play()
    roster = school_of(7)
    for record in roster.collections["users"]:
        record["grades"] = "Sprouts"
    end = played.edit(roster)
    (found,) = end.of_rule("unknown_grade")
    assert "Sprouts" in found.message
    assert "8" in found.message or "7" in found.message


@pytest.mark.parametrize("written", ["ToBeDeleted", " tobedeleted ", "INACTIVE"])
@pytest.mark.parametrize("source_id", ["A", "C1", "S0", "e-C1-S0"])
def test_a_status_is_read_in_any_case_in_every_collection(
    play: Callable[..., Play], source_id: str, written: str
) -> None:
    played = play()
    roster = school_of(1).school("B", name="Baker")
    played.edit(roster)
    played.edit(roster.with_(source_id, status=written))
    end = played.state()
    gone = {
        "A": not end.school("A").is_shared, "C1": not end.class_("C1").is_shared,
        "S0": not end.person("S0").is_shared, "e-C1-S0": not end.enrollment("C1", "S0").is_active,
    }  # fmt: skip
    assert gone[source_id]


@FAILS
def test_a_missing_role_is_told_as_missing(play: Callable[..., Play]) -> None:
    """1.2: roles[].role is null for a teacher of two classes."""
    played = play(
        kind="oneroster", version="1.2", quirks=[Quirk("users", replace=('"role": "teacher"', '"role": null'))]
    )
    roster = school_of(8).class_("C2", "A", "T1", ["S0"])
    end = played.edit(roster)
    assert [finding for finding in end.about("T1") if "role" in finding.message and "2 classes" in finding.message]


@FAILS
@pytest.mark.parametrize("written", ["withdrawn", "dropped", "???"])
def test_an_unknown_status_is_told_from_every_source(play: Callable[..., Play], written: str) -> None:
    played = play(kind="oneroster")
    end = played.edit(school_of(8).with_("e-C1-S0", status=written))
    assert [finding.entity for finding in end.of_rule("unknown_status")] == ["enrollments"]


def test_a_school_type_in_another_case_is_a_school(play: Callable[..., Play]) -> None:
    played = play()
    played.edit(csv_files(Roster().school("A", type="School").teacher("T1", "A")))
    assert played.state().school("A").is_shared
