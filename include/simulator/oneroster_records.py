"""OneRoster's view of a made-up district's records: what CSV files and REST servers have in common."""

from __future__ import annotations

from typing import Final

from include.simulator.district import DistrictDay
from include.simulator.records import Kind, Person

ROLES_1_1: Final = {
    "principal": "administrator", "siteAdministrator": "administrator", "districtAdministrator": "administrator",
    "counselor": "aide",
}  # fmt: skip
"""OneRoster 1.1's words for the roles of 1.2 that it lacks."""


def role_1_1(person: Person) -> str:
    """The one role that OneRoster 1.1 can express: that of the primary role."""
    role = person.roles[0].role
    return ROLES_1_1.get(role, role)


def org_ids(day: DistrictDay, person: Person) -> list[str]:
    """The organizations that a person belongs to; the district if there is no school."""
    return [day.school_sourced_id(school) for school in person.schools or (-1,)]


def agent_ids(day: DistrictDay, person: Person) -> list[str]:
    """A student's contacts, or a contact's student."""
    kind: Kind = "contact" if person.kind == "student" else "student"
    return [day.person_sourced_id(kind, index) for index in person.related]


def role_id(day: DistrictDay, person: Person, number: int) -> str:
    """The sourcedId of a row of roles.csv."""
    held = person.roles[number]
    return day.district.ids.sourced(f"role {person.kind} {held.role}", person.key, held.school)


def profile_id(day: DistrictDay, person: Person) -> str:
    """The sourcedId of a row of userProfiles.csv."""
    return day.district.ids.sourced(f"profile {person.kind}", person.key)


def has_profile(person: Person) -> bool:
    """Whether a person has a user profile: teachers do."""
    return person.kind == "teacher"


def preferred_given_name(person: Person) -> str:
    """The preferred given name, which some people have."""
    return f"{person.given_name[:3]}y" if person.key % 30 == 4 and person.kind == "student" else ""


def pronouns(person: Person) -> str:
    """Pronouns, which a few people have."""
    return "they/them/theirs" if person.key % 90 == 4 else ""
