"""What belongs to what at Clever: the paths below one record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from include.simulator.clever_snapshot import CleverSnapshot

RELATIONS: Final = {
    "schools": ("courses", "district", "sections", "terms", "users"),
    "users": ("district", "mycontacts", "mystudents", "myteachers", "resources", "schools", "sections"),
    "sections": ("course", "district", "resources", "school", "term", "users"),
    "courses": ("district", "resources", "schools", "sections"),
    "terms": ("district", "schools", "sections"),
    "resources": ("courses", "sections", "users"),
}  # fmt: skip
"""The paths that the v3.0 and v3.1 definitions list, by the collection they start from."""
ONE: Final = ("course", "school", "term")
"""Relations that lead to one record instead of a list."""
_SECTION_FIELDS: Final = {"course": "course", "term": "term_id", "school": "school"}


def links_of(name: str, path: str) -> list[dict[str, str]]:
    """The links of one record: to itself and to all that belongs to it."""
    return [{"rel": "self", "uri": path}, *({"rel": wanted, "uri": f"{path}/{wanted}"} for wanted in RELATIONS[name])]


def related(
    snapshot: CleverSnapshot, name: str, clever_id: str, wanted: str, role: str, *, only_primary: bool
) -> tuple[str, Sequence[int]]:
    """The collection that a relation leads to, and the ranks of the records in it."""
    if "resources" in (name, wanted):
        return wanted if wanted in RELATIONS else "resources", []
    if name == "schools":
        return _of_school(snapshot, clever_id, wanted, role, only_primary)
    if name == "sections":
        return _of_section(snapshot, clever_id, wanted, role)
    if name == "users":
        return _of_user(snapshot, clever_id, wanted, only_primary)
    sections = snapshot.sections_by("course" if name == "courses" else "term_id").get(clever_id, [])
    if wanted == "sections":
        return "sections", sections
    return "schools", snapshot.ranks("schools", _values(snapshot, sections, "school"))


def _of_school(
    snapshot: CleverSnapshot, clever_id: str, wanted: str, role: str, only_primary: bool
) -> tuple[str, Sequence[int]]:
    if wanted == "users":
        if role:
            return "users", snapshot.users(role, clever_id, only_primary=only_primary)
        found: set[int] = set()
        for each in ("student", "teacher", "staff"):
            found |= set(snapshot.users(each, clever_id, only_primary=only_primary))
        return "users", sorted(found)
    sections = snapshot.of_school("sections", clever_id)
    if wanted == "sections":
        return "sections", sections
    field = "course" if wanted == "courses" else "term_id"
    return wanted, snapshot.ranks(wanted, _values(snapshot, sections, field))


def _of_section(snapshot: CleverSnapshot, clever_id: str, wanted: str, role: str) -> tuple[str, Sequence[int]]:
    rank = snapshot.collection("sections").rank(clever_id)
    assert rank is not None  # noqa: S101 - the caller has looked the section up
    section = snapshot.collection("sections").record(rank)
    if wanted == "users":
        ids = {"student": section["students"], "teacher": section["teachers"]}
        return "users", snapshot.ranks("users", set(ids[role] if role else ids["student"] + ids["teacher"]))
    collection = f"{wanted}s"
    value = section[_SECTION_FIELDS[wanted]]
    return collection, snapshot.ranks(collection, {value} if value else set())


def _of_user(snapshot: CleverSnapshot, clever_id: str, wanted: str, only_primary: bool) -> tuple[str, Sequence[int]]:
    sections = sorted(
        {*snapshot.sections_by("students").get(clever_id, ()), *snapshot.sections_by("teachers").get(clever_id, ())}
    )
    if wanted == "sections":
        return "sections", sections
    if wanted == "myteachers":
        return "users", snapshot.ranks("users", _values(snapshot, sections, "teachers"))
    users = snapshot.collection("users")
    rank = users.rank(clever_id)
    assert rank is not None  # noqa: S101 - the caller has looked the user up
    roles = users.record(rank)["roles"]
    if wanted == "schools":
        schools = [school for role in roles.values() for school in role.get("schools", ())]
        return "schools", snapshot.ranks("schools", set(schools[:1] if only_primary else schools))
    if wanted == "mystudents":
        if "contact" in roles:
            links = roles["contact"]["student_relationships"]
            return "users", snapshot.ranks("users", {link["student"] for link in links})
        taught = snapshot.sections_by("teachers").get(clever_id, [])
        return "users", snapshot.ranks("users", _values(snapshot, taught, "students"))
    contacts = snapshot.users("contact")
    mine = [p for p in contacts if clever_id in _children(users.record(p)["roles"]["contact"])]
    return "users", mine


def _children(contact: dict[str, list[dict[str, str]]]) -> set[str]:
    return {link["student"] for link in contact["student_relationships"]}


def _values(snapshot: CleverSnapshot, sections: Sequence[int], field: str) -> set[str]:
    found: set[str] = set()
    for rank in sections:
        value = snapshot.collection("sections").record(rank)[field]
        found |= set(value) if isinstance(value, list) else {value} if value else set()
    return found
