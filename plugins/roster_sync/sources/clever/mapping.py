"""How Clever's objects become rows of vocabulary.COLLECTIONS; pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from roster_sync.sources.http.json_text import as_list, as_mapping, as_text

Record = Mapping[str, Any]
Row = tuple[str | None, ...]

ROLES: Final = ("student", "teacher", "staff", "district_admin")
"""The roles that are fetched; contacts are not."""


@dataclass(frozen=True)
class CleverDistrict:
    """The district as Clever tells of it."""

    id: str
    name: str
    state: str
    """ready | running | paused | pending | error"""
    reason: str
    last_sync: str | None
    nces_id: str | None


def read_district(record: Record, today: date) -> CleverDistrict:
    """The district's state in one of our words, with the reason in plain ones.

    Clever's own `error` text is made for people and may quote rows, so it is not passed on.
    """
    word = (as_text(record.get("state")) or "").lower()
    start, end = ((as_text(record.get(name)) or "")[:10] for name in ("pause_start", "pause_end"))
    is_pausing = bool(start) and start <= today.isoformat() and (not end or today.isoformat() <= end)
    state, reason = "ready", ""
    if word == "pending":
        state, reason = "pending", "Clever has not finished setting up this district: wait for its first sync there."
    elif word == "error":
        state = "error"
        reason = "Clever's own sync of this district is in error: the district mends it on its Clever dashboard."
    elif word == "running":
        state, reason = "running", "Clever is syncing this district just now."
    elif word == "paused" or is_pausing:
        until = f" until {end}" if end else ""
        state, reason = "paused", f"The district's sync is paused at Clever{until}: its data there is frozen."
    return CleverDistrict(
        as_text(record.get("id")) or "", as_text(record.get("name")) or "", state, reason,
        as_text(record.get("last_sync")), as_text(record.get("nces_id")),
    )  # fmt: skip


def district_row(district: CleverDistrict) -> Row:
    """The district as an organization."""
    return district.id, None, district.name, "district", None, None, None, district.nces_id


def school_row(record: Record) -> Row:
    """One school as an organization."""
    source_id, name, sis_id, parent = _texts(record, "id", "name", "sis_id", "district")
    return source_id, None, name, "school", sis_id, parent, *_texts(record, "state_id", "nces_id")


def term_row(record: Record) -> Row:
    """One term."""
    source_id, name, start, end = _texts(record, "id", "name", "start_date", "end_date")
    return source_id, None, name, "term", start, end


def course_row(record: Record) -> Row:
    """One course."""
    source_id, name, number = _texts(record, "id", "name", "number")
    return source_id, None, name, number, None, None


_OF_SECTION: Final = (
    "id", "name", "grade", "course", "sis_id", "school", "term_id", "subject", "period", "teacher", "teachers",
    "students",
)  # fmt: skip


def mapped_section(record: Record) -> Record:
    """What `class_row` and `enrollment_rows` need of a section."""
    return {name: record.get(name) for name in _OF_SECTION}


def class_row(record: Record) -> Row:
    """One section as a class."""
    source_id, name, grade, course, sis_id = _texts(record, "id", "name", "grade", "course", "sis_id")
    school, term, subject, period = _texts(record, "school", "term_id", "subject", "period")
    return source_id, None, name, grade, course, sis_id, None, school, term, subject, period


def enrollment_rows(record: Record) -> Iterator[Row]:
    """The enrollments that one section names; Clever has none of its own, so their ids are made."""
    section, lead = _texts(record, "id", "teacher")
    teachers = dict.fromkeys([*([lead] if lead else []), *_ids(record, "teachers")])
    for teacher in teachers:
        yield _enrollment(section, teacher, "teacher", is_primary=teacher == lead)
    for student in dict.fromkeys(_ids(record, "students")):
        yield _enrollment(section, student, "student", is_primary=False)


def _enrollment(section: str | None, user: str, role: str, *, is_primary: bool) -> Row:
    made = f"{section}:{user}:{role}" if section else None
    return made, None, section, user, role, "true" if is_primary else "false", None, None


def roles_of(record: Record) -> tuple[str, ...]:
    """Which of the fetched roles a person holds."""
    held = as_mapping(record.get("roles"))
    return tuple(role for role in ROLES if isinstance(held.get(role), dict))


def schools_of(record: Record, role: str) -> list[str]:
    """The schools of a person in one role, the primary one first."""
    detail = as_mapping(as_mapping(record.get("roles")).get(role))
    primary = as_text(detail.get("school"))
    return list(dict.fromkeys([*([primary] if primary else []), *_ids(detail, "schools")]))


def user_row(record: Record, role: str) -> Row:
    """One person with all roles that the record tells of; `role` is the one that the record was asked for by.

    People without a school (district administrators, some staff) belong to the district itself.
    """
    held = as_mapping(record.get("roles"))
    roles = tuple(dict.fromkeys([*roles_of(record), role]))
    details = [as_mapping(held.get(name)) for name in roles]
    schools = list(dict.fromkeys(school for name in roles for school in schools_of(record, name)))
    primary = next((text for detail in details if (text := as_text(detail.get("school")))), None)
    district = as_text(record.get("district"))
    name = as_mapping(record.get("name"))
    username = _first(as_mapping(detail.get("credentials")).get("district_username") for detail in details)
    sis_id = _first([*(detail.get("sis_id") for detail in details), *(detail.get("staff_id") for detail in details)])
    return (
        as_text(record.get("id")), None, None, ",".join(schools) or district, ",".join(roles), username, None,
        as_text(name.get("first")), as_text(name.get("last")), sis_id, as_text(record.get("email")),
        as_text(as_mapping(held.get("student")).get("grade")), primary,
        _first(detail.get("state_id") for detail in details),
    )  # fmt: skip


def _texts(record: Record, *names: str) -> tuple[str | None, ...]:
    return tuple(as_text(record.get(name)) for name in names)


def _ids(record: Record, name: str) -> list[str]:
    return [text for item in as_list(record.get(name)) if (text := as_text(item))]


def _first(values: Any) -> str | None:
    return next((text for value in values if (text := as_text(value))), None)
