"""A roster of tests/dsl/roster.py as OneRoster REST and as Clever send it, and a small one to begin with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.cases.servers import CLEVER_DISTRICT, Collections
from tests.dsl.csv_files import csv_files
from tests.dsl.roster import Record, Roster

__all__ = ["clever_collections", "csv_with_column", "rest_collections", "school_of"]


def school_of(students: int = 3, *, school: str = "A", teacher: str = "T1", class_id: str = "C1") -> Roster:
    """One school, one teacher, one class with students S0, S1 ..."""
    roster = Roster().school(school, name="Adams")
    roster.teacher(teacher, school, given_name="Tia", family_name="Tan", email="t1@d.example", identifier="t1")
    ids = [f"S{number}" for number in range(students)]
    for number, source_id in enumerate(ids):
        roster.student(source_id, school, given_name=f"Sam{number}", family_name=f"Sol{number}", email="",
                       identifier=f"n{number}")  # fmt: skip
    return roster.class_(class_id, school, teachers=teacher, students=ids, title="Algebra", class_code="c1")


def csv_with_column(roster: Roster, file: str, header: str, values: Mapping[str, str]) -> dict[str, str]:
    """The roster as CSV files with one more column at the end of a file: source id -> value."""
    files = csv_files(roster)
    lines = files[file].splitlines()
    more = [header, *(values.get(line.partition(",")[0], "") for line in lines[1:])]
    text = "\r\n".join(f"{line},{value}" for line, value in zip(lines, more, strict=True))
    return files | {file: text + "\r\n"}


def rest_collections(roster: Roster, version: str = "1.1") -> Collections:
    """As GET answers; a blank value is left out."""
    made = {
        "orgs": [_named(record, name="name", type="type", identifier="identifier") for record in _of(roster, "orgs")],
        "academicSessions": [
            _named(record, title="title", type="type", starts_on="startDate", ends_on="endDate")
            for record in _of(roster, "terms")
        ],
        "courses": [
            _named(record, title="title", course_code="courseCode") | _lists(record, "grades", "subjects")
            for record in _of(roster, "courses")
        ],
        "classes": [_rest_class(record) for record in _of(roster, "classes")],
        "users": [_rest_user(record, version) for record in _of(roster, "users")],
        "enrollments": [
            _named(record, role="role", is_primary="primary", begins_on="beginDate", ends_on="endDate")
            | {"class": _reference(record["class_source_id"]), "user": _reference(record["user_source_id"])}
            for record in _of(roster, "enrollments")
        ],
    }  # fmt: skip
    return made


def clever_collections(roster: Roster) -> Collections:
    """As Clever's v3.1 lists its records: enrollments are lists within sections."""
    return {
        "schools": [
            {"id": record["source_id"], "district": CLEVER_DISTRICT, "name": record["name"],
             "sis_id": record.get("identifier", ""), **_given(record, "state_id", "nces_id")}
            for record in _of(roster, "orgs") if record["type"] == "school"
        ],
        "users": [_clever_user(record) for record in _of(roster, "users")],
        "sections": [_section(roster, record) for record in _of(roster, "classes")],
        "terms": [
            {"id": record["source_id"], "district": CLEVER_DISTRICT, "name": record["title"],
             "start_date": record["starts_on"], "end_date": record["ends_on"]} for record in _of(roster, "terms")
        ],
        "courses": [],
    }  # fmt: skip


def _of(roster: Roster, collection: str) -> list[Record]:
    return roster.collections[collection]


def _named(record: Record, **names: str) -> dict[str, Any]:
    found = {"sourcedId": record["source_id"], "status": record.get("status") or "active"}
    found |= {theirs: record[ours] for ours, theirs in names.items() if record.get(ours)}
    metadata = {name.removeprefix("metadata."): value for name, value in record.items()
                if name.startswith("metadata.")}  # fmt: skip
    if record.get("state_id"):
        metadata["stateId"] = record["state_id"]
    if record.get("nces_id"):
        metadata["ncesId"] = record["nces_id"]
    return {**found, "metadata": metadata} if metadata else found


def _lists(record: Record, *names: str) -> dict[str, Any]:
    return {name: _list(record.get(name)) for name in names}


def _list(value: str | None) -> list[str]:
    return [part for part in (value or "").split(",") if part]


def _given(record: Record, *names: str) -> dict[str, str]:
    return {name: record[name] for name in names if record.get(name)}


def _reference(source_id: str) -> dict[str, str]:
    return {"href": f"https://roster.example/{source_id}", "sourcedId": source_id, "type": "any"}


def _rest_class(record: Record) -> dict[str, Any]:
    return {
        **_named(record, title="title", class_code="classCode"), "classType": "scheduled",
        **_lists(record, "grades", "subjects", "periods"), "school": _reference(record["school_source_id"]),
        "terms": [_reference(term) for term in _list(record.get("term_source_ids"))],
    }  # fmt: skip


def _rest_user(record: Record, version: str) -> dict[str, Any]:
    orgs = [_reference(org) for org in _list(record.get("org_source_ids"))]
    user = _named(record, is_enabled="enabledUser", username="username", given_name="givenName",
                  family_name="familyName", identifier="identifier", email="email")  # fmt: skip
    user |= {"grades": _list(record.get("grades")), "userIds": []}
    if version == "1.1":
        return user | {"role": record.get("role"), "orgs": orgs}
    roles = [{"roleType": "primary", "role": role, "org": org} for role in _list(record.get("role")) for org in orgs]
    return user | {"roles": roles}


def _clever_user(record: Record) -> dict[str, Any]:
    schools = _list(record.get("org_source_ids"))
    detail: dict[str, Any] = {"school": schools[0], "schools": schools} if schools else {}
    detail |= {"sis_id": record["identifier"]} if record.get("identifier") else {}
    detail |= _given(record, "state_id", "legacy_id")
    roles = {
        role: detail | ({"grade": record["grades"]} if role == "student" and record.get("grades") else {})
        for role in _list(record.get("role"))
    }
    user = {"id": record["source_id"], "district": CLEVER_DISTRICT, "roles": roles,
            "name": {"first": record.get("given_name"), "last": record.get("family_name")}}  # fmt: skip
    return {**user, **_given(record, "email")}


def _section(roster: Roster, record: Record) -> dict[str, Any]:
    mine = [line for line in _of(roster, "enrollments") if line["class_source_id"] == record["source_id"]]
    teachers = [line["user_source_id"] for line in mine if line["role"] == "teacher"]
    lead = next((line["user_source_id"] for line in mine if line.get("is_primary") == "true"), None)
    return {
        "id": record["source_id"], "district": CLEVER_DISTRICT, "school": record["school_source_id"],
        "name": record.get("title"), "sis_id": record.get("class_code"), "teacher": lead, "teachers": teachers,
        "students": [line["user_source_id"] for line in mine if line["role"] == "student"],
        "period": record.get("periods"), "term_id": record.get("term_source_ids") or None,
    }  # fmt: skip
