"""Rules of what Clever's objects mean: which field of which role becomes which column, and what the district says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from roster_sync.core.vocabulary import COLLECTIONS
from roster_sync.sources.clever import mapping as mapping

TODAY = date(2026, 7, 1)


def row(collection: str, values: mapping.Row) -> dict[str, str | None]:
    return dict(zip(COLLECTIONS[collection], values, strict=True))


def user(roles: Mapping[str, Any], asked: str, **more: Any) -> dict[str, str | None]:
    record = {"id": "u1", "district": "d1", "roles": roles, "name": {"first": "Kim", "middle": "X", "last": "Kestrel"}}
    return row("users", mapping.user_row({**record, **more}, asked))


def told(found: Mapping[str, str | None], **wanted: str | None) -> None:
    assert {name: found[name] for name in wanted} == wanted


STUDENT = {"school": "s2", "schools": ["s1", "s2"], "sis_id": "S-1", "state_id": "NY1", "grade": "7", "dob": "1/2/2013",
           "credentials": {"district_username": "kk1"}}  # fmt: skip
TEACHER = {"school": "s1", "schools": ["s1"], "sis_id": "T-1", "state_id": None, "credentials": None}
STAFF = {"staff_id": "A-1", "schools": ["s3", "s1"], "credentials": {"district_username": "kk2"}}


def test_a_students_fields_come_from_their_role() -> None:
    found = user({"student": STUDENT}, "student", email="kim@people.example")
    told(
        found, source_id="u1", role="student", given_name="Kim", family_name="Kestrel", email="kim@people.example",
        identifier="S-1", username="kk1", state_id="NY1", grades="7", org_source_ids="s2,s1",
        primary_org_source_id="s2",
    )  # fmt: skip
    assert not {"1/2/2013", "X"} & set(found.values()), "nobody's business"


def test_a_person_of_two_roles_has_both_the_schools_of_both_and_the_first_ones_own_id() -> None:
    for asked in ("teacher", "staff"):
        told(
            user({"teacher": TEACHER, "staff": STAFF, "student": None}, asked), role="teacher,staff", identifier="T-1",
            username="kk2", org_source_ids="s1,s3", primary_org_source_id="s1", grades=None, state_id=None,
        )  # fmt: skip


def test_staff_go_by_their_staff_id_and_a_role_that_is_only_asked_for_counts_too() -> None:
    told(user({"staff": STAFF}, "staff"), role="staff", identifier="A-1", org_source_ids="s3,s1")
    told(user({"staff": STAFF}, "teacher"), role="staff,teacher")


def test_people_without_a_school_belong_to_the_district() -> None:
    found = user({"district_admin": {"title": "Head"}}, "district_admin")
    told(found, role="district_admin", org_source_ids="d1", primary_org_source_id=None, identifier=None)


def test_a_primary_school_that_is_not_in_the_list_of_schools_counts_too() -> None:
    told(user({"teacher": {**TEACHER, "schools": ["s3"]}}, "teacher"), org_source_ids="s1,s3")


def test_schools_terms_and_courses_are_reported_field_by_field() -> None:
    school = {"id": "s1", "name": "Elm", "sis_id": "E", "district": "d1", "state_id": "NY7", "nces_id": "36"}
    told(
        row("orgs", mapping.school_row(school)), source_id="s1", name="Elm", type="school", identifier="E",
        parent_source_id="d1", state_id="NY7", nces_id="36",
    )  # fmt: skip
    term = {"id": "t1", "name": "Fall", "start_date": "2026-09-01", "end_date": "2027-01-20"}
    found = row("terms", mapping.term_row(term))
    told(found, source_id="t1", title="Fall", starts_on="2026-09-01", ends_on="2027-01-20")
    found = row("courses", mapping.course_row({"id": "c1", "name": "Algebra", "number": "A1"}))
    told(found, source_id="c1", title="Algebra", course_code="A1")


SECTION = {
    "id": "k1", "name": "Algebra 3", "grade": "8", "course": "c1", "sis_id": "X-9", "school": "s1", "term_id": "t1",
    "subject": "math", "period": "3", "teacher": "u9", "teachers": ["u8", "u8"], "students": ["u1", "u1", "u2"],
}  # fmt: skip


def test_a_section_is_a_class_and_names_its_people_once_with_a_lead_who_is_not_among_its_teachers() -> None:
    told(
        row("classes", mapping.class_row(SECTION)), source_id="k1", title="Algebra 3", grades="8", class_code="X-9",
        course_source_id="c1", school_source_id="s1", term_source_ids="t1", subjects="math", periods="3",
    )  # fmt: skip
    found = [row("enrollments", one) for one in mapping.enrollment_rows(SECTION)]
    assert [(one["user_source_id"], one["role"], one["is_primary"]) for one in found] == [
        ("u9", "teacher", "true"), ("u8", "teacher", "false"), ("u1", "student", "false"), ("u2", "student", "false"),
    ]  # fmt: skip
    assert len({one["source_id"] for one in found}) == 4
    assert {one["class_source_id"] for one in found} == {"k1"}


def test_what_is_kept_of_a_section_gives_the_same_rows() -> None:
    kept = mapping.mapped_section({**SECTION, "ext": {"note": "nobody's business"}, "section_number": "7"})
    assert mapping.class_row(kept) == mapping.class_row(SECTION)
    assert list(mapping.enrollment_rows(kept)) == list(mapping.enrollment_rows(SECTION))
    assert "ext" not in kept


@pytest.mark.parametrize(
    ("start", "end", "state"),
    [
        ("2026-07-01T00:00:00.000Z", "2026-07-01T00:00:00.000Z", "paused"), ("2026-06-01", "2026-07-01", "paused"),
        ("2026-06-01", None, "paused"), ("2026-07-02", "2026-08-01", "ready"), ("2026-06-01", "2026-06-30", "ready"),
        (None, "2026-08-01", "ready"), ("", "", "ready"),
    ],
)  # fmt: skip
def test_a_pause_lasts_from_its_first_day_to_its_last(start: str | None, end: str | None, state: str) -> None:
    record = {"id": "d1", "name": "Glen", "state": "success", "pause_start": start, "pause_end": end}
    assert mapping.read_district(record, TODAY).state == state


@pytest.mark.parametrize(
    ("word", "state"),
    [("success", "ready"), ("", "ready"), (None, "ready"), ("pending", "pending"), ("error", "error"),
     ("running", "running"), ("paused", "paused")],
)  # fmt: skip
def test_every_state_of_clevers_is_one_of_ours_with_a_reason(word: str | None, state: str) -> None:
    found = mapping.read_district({"id": "d1", "state": word, "error": "row 7: Kestrel"}, TODAY)
    assert (found.state, bool(found.reason)) == (state, state != "ready")
    assert "Kestrel" not in found.reason
