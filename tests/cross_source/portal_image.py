"""What the portal holds of a district, described without ids: each row under what it means in the made-up district."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from include.simulator.district import DistrictDay
from tests.dsl.world import World

Row = dict[str, Any]
Name = tuple[str, int]
"""What a row means: ('student', 17), ('school', 2), ('class', 40)."""

_QUERIES: Final = {
    "schools": "select id, source_id, name, sis_id, state_id, nces_id, is_shared, origin from portal.schools"
    " where district_id = %s",
    "users": "select id, source_id, role, email, username, given_name, family_name, grade, sis_id, state_id,"
    " is_enabled, is_shared, origin from portal.users where district_id = %s order by is_shared desc, id desc",
    "classes": "select id, source_id, school_id, sis_id, title, subject, grade, period, term_name, starts_on, ends_on,"
    " is_shared, origin from portal.classes where district_id = %s",
    "memberships": "select m.user_id, m.school_id, m.is_primary, m.is_active, m.origin from portal.user_schools m"
    " join portal.users u on u.id = m.user_id where u.district_id = %s",
    "enrollments": "select class_id, user_id, role, is_primary, is_active, begins_on, ends_on, origin"
    " from portal.enrollments where district_id = %s",
}
_OWNERS: Final = {"user_id": "users", "school_id": "schools", "class_id": "classes"}


@dataclass
class Meanings:
    """Whom the ids of every day mean; a person may have had several Clever ids."""

    names: dict[str, Name] = field(default_factory=dict)

    def learn(self, day: DistrictDay) -> None:
        """Notes the ids of one day."""
        for school in day.schools():
            self.names |= dict.fromkeys((school.sourced_id, school.clever_id), ("school", school.key))
        for person in day.users():
            self.names |= dict.fromkeys((person.sourced_id, person.clever_id), (person.kind, person.key))
        for class_ in day.classes():
            self.names |= dict.fromkeys((class_.sourced_id, class_.clever_id), ("class", class_.key))

    def of(self, source_id: str | None, email: str | None) -> Name:
        """What an id means; a row made by hand has none and goes by its email."""
        return self.names[source_id] if source_id else (f"by hand {email}", 0)


@dataclass
class Image:
    """A portal without its ids."""

    tables: dict[str, dict[Any, Row]] = field(default_factory=dict)
    ids: dict[Name, int] = field(default_factory=dict)
    """Whoever is meant, and the row that is theirs now."""
    earlier: dict[Name, int] = field(default_factory=dict)
    """Rows of people who came back under another id without proof that they are the same."""


def image(world: World, meanings: Meanings) -> Image:
    """The portal of a district without its ids."""
    found = Image()
    names: dict[str, dict[int, Name]] = {name: {} for name in _OWNERS.values()}
    for table in ("schools", "users", "classes"):
        rows = found.tables[table] = {}
        for row in world.rows(_QUERIES[table], world.district_id):
            row_id, meant = row.pop("id"), meanings.of(row.pop("source_id"), row.get("email"))
            if meant in rows:  # the row that is shared came first
                assert table == "users", f"two {table} mean {meant}"
                assert not row["is_shared"], f"two shared {table} mean {meant}"
                found.earlier[meant] = row_id
                continue
            names[table][row_id] = meant
            found.ids[meant] = row_id
            rows[meant] = _named(row, names)
    for table in ("memberships", "enrollments"):
        rows = found.tables[table] = {}
        for row in world.rows(_QUERIES[table], world.district_id):
            if row["user_id"] not in found.earlier.values():
                row = _named(row, names)
                rows[tuple(row.pop(name) for name in ("class_id", "school_id", "user_id", "role") if name in row)] = row
    return found


def _named(row: Row, names: Mapping[str, Mapping[int, Name]]) -> Row:
    return {name: names[_OWNERS[name]][value] if name in _OWNERS else value for name, value in row.items()}


def differences(ours: Image, theirs: Image) -> list[tuple[str, Any, str, Any, Any]]:
    """Where two portals differ, field by field: table, row, field ('' = the whole row), our value, theirs."""
    found: list[tuple[str, Any, str, Any, Any]] = []
    for table, rows in ours.tables.items():
        other = theirs.tables[table]
        for key in sorted(rows.keys() | other.keys(), key=str):
            mine, yours = rows.get(key), other.get(key)
            if mine is None or yours is None:
                found.append((table, key, "", mine, yours))
                continue
            found += [(table, key, name, mine[name], yours[name]) for name in mine if mine[name] != yours[name]]
    return found
