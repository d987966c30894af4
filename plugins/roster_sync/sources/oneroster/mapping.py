"""What is asked for and kept of each OneRoster collection, and how a record becomes rows; pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from roster_sync.core.vocabulary import COLLECTIONS
from roster_sync.sources.http.json_text import as_list, as_mapping, as_text
from roster_sync.sources.oneroster_csv.header import metadata_column

Record = Mapping[str, Any]
Row = tuple[str | None, ...]

CONTACTS: Final = frozenset({"parent", "guardian", "relative", "contact"})
"""Roles of people who are never kept."""


@dataclass(frozen=True)
class Wanted:
    """One collection: where it is asked for, under which key it comes, and which fields travel."""

    collection: str
    path: str
    keys: tuple[str, ...]
    fields: tuple[str, ...]
    fields_v12: tuple[str, ...]
    row: Callable[[Record], Row]
    is_required: bool = True
    """Without it there is no roster; the others are passed over where the server does not know them."""
    other_path: str = ""
    """Where it is asked for on a server that does not know `path`."""

    def asked(self, version: str) -> str:
        """The value of the `fields` parameter."""
        return ",".join(("sourcedId", "status", *(self.fields_v12 if version == "1.2" else self.fields)))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that `row` fills."""
        return COLLECTIONS[self.collection]


@dataclass
class Page:
    """What one page brought, as rows: its records as objects would take four times the memory."""

    received: int = 0
    ids: set[str] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)
    roles: list[Row] = field(default_factory=list)
    """Rows of the collection `roles`, which come with users."""
    contacts: int = 0
    """People who were passed over."""
    unreadable: int = 0
    """Records that are no objects."""


def read_page(wanted: Wanted, records: Iterable[Any]) -> Page:
    """Makes rows of a page's records, one after the other."""
    page = Page()
    for record in records:
        page.received += 1
        if not isinstance(record, dict):
            page.unreadable += 1
            continue
        if source_id := as_text(record.get("sourcedId")):
            page.ids.add(source_id)
        if wanted.collection == "users":
            if is_contact(record):
                page.contacts += 1
                continue
            page.roles += role_rows(record)
        page.rows.append(wanted.row(record))
    return page


def _start(record: Record) -> Row:
    return as_text(record.get("sourcedId")), as_text(record.get("status"))


def org_row(record: Record) -> Row:
    """One organization."""
    ids = _metadata("orgs", record)
    name, kind, identifier = (as_text(record.get(field)) for field in ("name", "type", "identifier"))
    parent = as_text(record.get("parent"))
    return (*_start(record), name, kind, identifier, parent, ids.get("state_id"), ids.get("nces_id"))


def _metadata(collection: str, record: Record) -> dict[str, str | None]:
    """Our columns among a vendor's own fields."""
    found: dict[str, str | None] = {}
    for key, value in as_mapping(record.get("metadata")).items():
        if column := metadata_column(collection, key):
            found.setdefault(column, as_text(value))
    return found


def term_row(record: Record) -> Row:
    """One academic session."""
    return (*_start(record), *(as_text(record.get(field)) for field in ("title", "type", "startDate", "endDate")))


def course_row(record: Record) -> Row:
    """One course."""
    return (*_start(record), *(as_text(record.get(field)) for field in ("title", "courseCode", "grades", "subjects")))


_CLASS_FIELDS: Final = (
    "title", "grades", "course", "classCode", "classType", "school", "terms", "subjects", "periods",
)  # fmt: skip


def class_row(record: Record) -> Row:
    """One class."""
    return (*_start(record), *(as_text(record.get(field)) for field in _CLASS_FIELDS))


def user_row(record: Record) -> Row:
    """One person; in 1.2 the roles and schools are rows of their own (`role_rows`)."""
    texts = {field: as_text(record.get(field)) for field in _USER_FIELDS_BOTH}
    return (
        *_start(record), texts["enabledUser"], as_text(record.get("orgs")), as_text(record.get("role")),
        texts["username"], _user_ids(record), texts["givenName"], texts["familyName"], texts["identifier"],
        texts["email"], texts["grades"], as_text(record.get("primaryOrg")),
        _metadata("users", record).get("state_id"),
    )  # fmt: skip


def role_rows(record: Record) -> list[Row]:
    """The roles of one person of 1.2, but for those of contacts; their ids are made."""
    user = as_text(record.get("sourcedId"))
    rows: list[Row] = []
    for given in as_list(record.get("roles")):
        entry = as_mapping(given)
        role, org = as_text(entry.get("role")), as_text(entry.get("org"))
        if (role or "").lower() in CONTACTS:
            continue
        rows.append((f"{user or ''}:{role or ''}:{org or ''}", None, user, as_text(entry.get("roleType")), role, org))
    return rows


def is_contact(record: Record) -> bool:
    """Whether a person is nothing but a contact, parent, guardian or relative."""
    roles = {(as_text(as_mapping(entry).get("role")) or "").lower() for entry in as_list(record.get("roles"))}
    if isinstance(record.get("role"), str):
        roles.add(str(record["role"]).lower())
    return bool(roles) and roles <= CONTACTS


def enrollment_row(record: Record) -> Row:
    """One enrollment."""
    fields = ("class", "user", "role", "primary", "beginDate", "endDate")
    return (*_start(record), *(as_text(record.get(field)) for field in fields))


def _user_ids(record: Record) -> str | None:
    pairs = [as_mapping(entry) for entry in as_list(record.get("userIds"))]
    texts = [f"{{{as_text(pair.get('type'))}:{as_text(pair.get('identifier'))}}}" for pair in pairs]
    return ",".join(texts) or None


_USER_FIELDS_BOTH: Final = (
    "enabledUser", "username", "userIds", "givenName", "familyName", "identifier", "email", "grades",
)  # fmt: skip
_COURSE: Final = ("title", "courseCode", "grades", "subjects")
_TERM: Final = ("title", "type", "startDate", "endDate")
_ORG: Final = ("name", "type", "identifier", "parent", "metadata")
_ENROLLMENT: Final = ("user", "class", "role", "primary", "beginDate", "endDate")

WANTED: Final = (
    Wanted("orgs", "orgs", ("orgs", "schools"), _ORG, _ORG, org_row, other_path="schools"),
    Wanted("terms", "academicSessions", ("academicSessions", "terms"), _TERM, _TERM, term_row, is_required=False,
           other_path="terms"),
    Wanted("courses", "courses", ("courses",), _COURSE, _COURSE, course_row, is_required=False),
    Wanted("classes", "classes", ("classes",), _CLASS_FIELDS, _CLASS_FIELDS, class_row),
    Wanted("users", "users", ("users",), (*_USER_FIELDS_BOTH, "metadata", "role", "orgs"),
           (*_USER_FIELDS_BOTH, "metadata", "roles", "primaryOrg"), user_row),
    Wanted("enrollments", "enrollments", ("enrollments",), _ENROLLMENT, _ENROLLMENT, enrollment_row),
)  # fmt: skip
"""In the order of vocabulary.COLLECTIONS; `roles` comes with `users`."""
