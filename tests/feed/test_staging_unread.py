"""A record that could not be read, or that names no one, counts as seen: what it may stand for stays as it is."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from tests.dsl.csv_files import csv_files
from tests.dsl.roster import MemorySource, Roster, town
from tests.dsl.world import Ran, World


def _doubt(world: World, ran: Ran, table: str) -> Any:
    """Why a row that is missing from a table is not known to be gone; None: it is."""
    return world.value("select proof -> 'reasons' ->> %s from sync.runs where id = %s", table, ran.id)


# -- people -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [
    {"family_name": "Garcia"}, {"family_name": "Garcia", "given_name": "  "}, {"given_name": "Maria"},
    {"family_name": "  ", "given_name": "Maria"}])  # fmt: skip
def test_a_person_of_whom_half_a_name_is_left_takes_the_proof_from_all(world: World, names: dict[str, str]) -> None:
    roster = town().with_("a1", given_name="Maria", family_name="Garcia")
    world.run(roster)
    row = {"source_id": "", "status": "active", "role": "student", "org_source_ids": "S1"}
    ran = world.run(roster.without("a1", "a2").add("users", row | names))
    assert world.unshared("users") == set()
    assert _doubt(world, ran, "users").startswith("1 records could not be read")


def test_a_person_of_whom_the_full_name_is_left_protects_their_own_row_alone(world: World) -> None:
    roster = town().with_("a1", given_name="Maria", family_name="Garcia")
    world.run(roster)
    row = {"source_id": "", "status": "active", "role": "student", "given_name": "Maria", "family_name": "Garcia"}
    ran = world.run(roster.without("a1", "a2").add("users", row))
    assert world.unshared("users") == {"a2"}
    assert _doubt(world, ran, "users") is None


# -- enrollments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blanks", [" ", "   "])
@pytest.mark.parametrize("column", ["class_source_id", "user_source_id"])
def test_an_enrollment_whose_class_or_person_is_only_blanks_takes_the_proof_from_all_enrollments(
    world: World, column: str, blanks: str
) -> None:
    world.run(town())
    ran = world.run(town().with_("e-c-t1-a1", **{column: blanks}).without_rows("e-c-t3-b1"))
    assert world.enrolled("c-t1")["a1"] is True
    assert world.enrolled("c-t3")["b1"] is True
    assert _doubt(world, ran, "enrollments").startswith("1 records could not be read")
    assert world.counts(ran, "enrollments")["rejected"] == 1
    assert [finding["rule"] for finding in world.findings(ran)] == ["missing_id"]


def test_an_enrollment_whose_own_id_is_only_blanks_is_rejected_and_counts_as_seen(world: World) -> None:
    world.run(town())
    ran = world.run(town().with_("e-c-t1-a1", source_id="  ", status="tobedeleted").without_rows("e-c-t1-a2"))
    assert world.enrolled("c-t1") == {"t1": True, "a1": True, "a2": False}
    assert _doubt(world, ran, "enrollments") is None  # it tells both its class and its person
    assert world.counts(ran, "enrollments")["rejected"] == 1
    assert [finding["rule"] for finding in world.findings(ran)] == ["missing_id"]


@pytest.mark.parametrize("known", [{"class_source_id": "c-t1"}, {"user_source_id": "a1", "class_source_id": " "}, {}])
def test_an_enrollment_that_could_not_be_read_is_reported_once(world: World, known: dict[str, str]) -> None:
    reject = {"collection": "enrollments", "rule": "ragged_line", "message": "Correct it.", "known": known}
    ran = world.run(MemorySource(town(), rejects=(reject,)))
    assert _doubt(world, ran, "enrollments").startswith("1 records could not be read")


# -- terms and courses ------------------------------------------------------------------------------------------------

VALUES = {"academicSessions": ("term_name", "starts_on", "ends_on"), "courses": ("subject",)}


def _with_values() -> Roster:
    """A class that has its days from a term, and its subject from a course."""
    roster = town().term("T1", "Autumn", "2026-08-20", "2026-12-18").term("T2", "Spring", "2027-01-05", "2027-05-28")
    roster.add("courses", {"source_id": "K1", "status": "active", "title": "Course", "subjects": "math"})
    return roster.with_("c-t1", term_source_ids="T1", course_source_id="K1").with_("c-t2", term_source_ids="T1,T2")


@pytest.mark.parametrize("line", ["{id},active", "{id},active,2026-01-01,Title"], ids=["without its id", "with its id"])
@pytest.mark.parametrize("file", VALUES)
def test_a_class_keeps_what_a_term_or_a_course_gave_whose_line_could_not_be_read(
    world: World, file: str, line: str
) -> None:
    world.run(csv_files(_with_values()))
    before = world.class_("c-t1"), world.class_("c-t2")
    files = csv_files(_with_values().with_("c-t1", title="Renamed"))
    files[f"{file}.csv"] = re.sub(
        r"(?m)^(T1|K1),[^\r\n]*", lambda found: line.format(id=found[1]), files[f"{file}.csv"])  # fmt: skip
    ran = world.run(files)
    assert world.class_("c-t1")["title"] == "Renamed"
    assert world.findings(ran, "ragged_line")
    for was, class_ in zip(before, (world.class_("c-t1"), world.class_("c-t2")), strict=True):
        assert {column: class_[column] for column in VALUES[file]} == {column: was[column] for column in VALUES[file]}
    assert before[0][VALUES[file][0]] is not None


def test_what_was_read_of_terms_and_courses_counts_also_next_to_a_line_that_was_not(world: World) -> None:
    world.run(csv_files(_with_values()))
    files = csv_files(_with_values().with_("T1", title="Fall").with_("K1", subjects="art")
                      .with_("c-t2", term_source_ids=""))  # fmt: skip
    for name in ("academicSessions.csv", "courses.csv"):
        files[name] += "?,?\r\n"
    world.run(files)
    assert (world.class_("c-t1")["term_name"], world.class_("c-t1")["subject"]) == ("Fall", "art")
    assert world.class_("c-t2")["term_name"] is None


def test_a_blank_line_of_terms_or_courses_keeps_nothing(world: World) -> None:
    world.run(csv_files(_with_values()))
    files = csv_files(_with_values().without_rows("T1", "K1"))
    for name in ("academicSessions.csv", "courses.csv"):
        files[name] += "," * files[name].split("\r\n", 1)[0].count(",") + "\r\n"
    ran = world.run(files)
    assert world.findings(ran, "blank_line")
    for column in ("term_name", "starts_on", "ends_on", "subject"):
        assert world.class_("c-t1")[column] is None


@pytest.mark.parametrize(("column", "kept"), [("starts_on", "starts_on"), ("ends_on", "ends_on")])
@pytest.mark.parametrize("day", ["20/08/2026", "2026-02-31", "soon"])
def test_classes_keep_their_day_where_a_terms_day_is_not_a_date(world: World, column: str, kept: str, day: str) -> None:
    world.run(_with_values())
    before = world.class_("c-t1"), world.class_("c-t2")
    ran = world.run(_with_values().with_("T1", **{column: day}, title="Fall"))
    for was, class_ in zip(before, (world.class_("c-t1"), world.class_("c-t2")), strict=True):
        assert class_[kept] == was[kept] is not None
        assert class_["term_name"] != was["term_name"]  # what is right of the term counts
    field = {"starts_on": "startDate", "ends_on": "endDate"}[column]
    (told,) = world.findings(ran, "malformed_date")
    assert (told["entity"], told["source_id"], told["field"]) == ("terms", "T1", field)


@pytest.mark.parametrize(
    ("written", "day"), [("  ", None), (" 2026-08-24", "2026-08-24"), ("2026-08-24 ", "2026-08-24")]
)
def test_blanks_around_the_day_of_a_term_say_nothing(world: World, written: str, day: str | None) -> None:
    world.run(_with_values())
    ran = world.run(_with_values().with_("T1", starts_on=written))
    assert (world.class_("c-t1")["starts_on"] or None) == (date.fromisoformat(day) if day else None)
    assert world.findings(ran, "malformed_date") == []


@pytest.mark.parametrize("blank", ["", "  "])
@pytest.mark.parametrize(("collection", "source_id", "columns"), [
    ("terms", "T1", ("term_name", "starts_on", "ends_on")), ("courses", "K1", ("subject",))])  # fmt: skip
def test_a_class_keeps_what_a_term_or_a_course_gave_that_lost_its_id(
    world: World, collection: str, source_id: str, columns: tuple[str, ...], blank: str
) -> None:
    world.run(_with_values())
    before = world.class_("c-t1")
    ran = world.run(_with_values().with_(source_id, source_id=blank))
    assert {column: world.class_("c-t1")[column] for column in columns} == {
        column: before[column] for column in columns
    }
    assert [finding["entity"] for finding in world.findings(ran, "missing_id")] == [collection]
