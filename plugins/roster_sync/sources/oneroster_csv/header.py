"""Which CSV column is kept under which name, and the check that a file's header really holds them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from roster_sync.core.errors import FeedBroken

_START: Final = {"sourcedId": "source_id", "status": "status"}


@dataclass(frozen=True)
class FileSpec:
    """One CSV file of OneRoster: the collection it fills and what is kept of it."""

    name: str
    collection: str
    columns: Mapping[str, str]
    """Header -> our column."""
    may_lack: frozenset[str] = frozenset()
    """Headers of later or earlier versions, and those whose loss changes nothing in the portal."""


_USERS_1_1: Final = {"orgSourcedIds": "org_source_ids", "role": "role"}
_USERS: Final = {
    **_START, "enabledUser": "is_enabled", "username": "username", "userIds": "user_ids", "givenName": "given_name",
    "familyName": "family_name", "identifier": "identifier", "email": "email", "grades": "grades",
}  # fmt: skip

FILES: Final = (
    FileSpec("orgs", "orgs", {
        **_START, "name": "name", "type": "type", "identifier": "identifier", "parentSourcedId": "parent_source_id",
    }, frozenset({"parentSourcedId"})),
    FileSpec("academicSessions", "terms", {
        **_START, "title": "title", "type": "type", "startDate": "starts_on", "endDate": "ends_on",
    }),
    FileSpec("courses", "courses", {
        **_START, "title": "title", "courseCode": "course_code", "grades": "grades", "subjects": "subjects",
    }),
    FileSpec("classes", "classes", {
        **_START, "title": "title", "grades": "grades", "courseSourcedId": "course_source_id",
        "classCode": "class_code", "classType": "class_type", "schoolSourcedId": "school_source_id",
        "termSourcedIds": "term_source_ids", "subjects": "subjects", "periods": "periods",
    }),
    FileSpec("users", "users", {
        **_USERS, **_USERS_1_1, "primaryOrgSourcedId": "primary_org_source_id",
    }, frozenset({"userIds", "primaryOrgSourcedId"})),
    FileSpec("roles", "roles", {
        **_START, "userSourcedId": "user_source_id", "roleType": "role_type", "role": "role",
        "orgSourcedId": "org_source_id",
    }),
    FileSpec("enrollments", "enrollments", {
        **_START, "classSourcedId": "class_source_id", "userSourcedId": "user_source_id", "role": "role",
        "primary": "is_primary", "beginDate": "begins_on", "endDate": "ends_on",
    }),
)  # fmt: skip
"""In the order of vocabulary.COLLECTIONS."""

_METADATA: Final = {
    "orgs": {
        "ncesid": "nces_id", "ncesschoolid": "nces_id", "schoolncesid": "nces_id", "stateid": "state_id",
        "stateschoolid": "state_id", "schoolstateid": "state_id", "stateorganizationid": "state_id",
    },
    "users": {
        "stateid": "state_id", "statestudentid": "state_id", "studentstateid": "state_id", "stateuniqueid": "state_id",
    },
}  # fmt: skip
"""Vendors' own metadata.* columns, letters and digits only in lower case, that say what Clever says in a field."""


def metadata_column(collection: str, name: str) -> str | None:
    """Our column for a metadata name (without `metadata.`), or None."""
    return _METADATA.get(collection, {}).get(re.sub(r"[^a-z0-9]", "", name.lower()))


def parse_header(file: str, line: bytes) -> list[str]:
    """The names in a file's first line (its byte-order mark already cut off).

    Raises:
        FeedBroken: it is missing, or the file is not UTF-8.
    """
    if b"\x00" in line or line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FeedBroken(f"{file}, line 1: the file is UTF-16, not UTF-8: export it as UTF-8.")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise FeedBroken(f"{file}, line 1: the header is not UTF-8: export the file as UTF-8.") from None
    if not text.strip():
        raise FeedBroken(f"{file}, line 1: the header is missing: export the file again with its header line.")
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        raise FeedBroken(f"{file}, line 1: the header cannot be read as CSV: export the file again.") from None
    return [name.strip() for name in names]


def map_columns(file: str, spec: FileSpec, names: Sequence[str], *, is_v12: bool, is_delta: bool) -> list[str | None]:
    """Our column for each CSV column, None for what is not kept.

    Every kept column must be there by its exact name: an export that lacks `email` would empty every email.
    Only `status` may be missing in a bulk file, where the specification wants it blank.

    Raises:
        FeedBroken: naming file, line and what to do.
    """
    lacking = set(spec.may_lack)
    if not is_delta:
        lacking.add("status")
    if is_v12:
        lacking |= set(_USERS_1_1)
    for header in spec.columns:
        if names.count(header) > 1:
            raise FeedBroken(f"{file}, line 1: the column {header} is there twice: send it once.")
        if header not in names:
            _refuse_missing(file, spec, header, names, is_required=header not in lacking)
    columns: list[str | None] = []
    for name in names:
        column = spec.columns.get(name)
        if column is None and name.startswith("metadata."):
            column = metadata_column(spec.collection, name.removeprefix("metadata."))
        columns.append(column if column not in columns else None)
    return columns


def _refuse_missing(file: str, spec: FileSpec, header: str, names: Sequence[str], *, is_required: bool) -> None:
    unknown = [name for name in names if name not in spec.columns and name not in _UNMAPPED
               and not name.startswith("metadata.")]  # fmt: skip
    by_lower = {name.lower(): name for name in unknown}
    near = get_close_matches(header.lower(), by_lower, n=1, cutoff=0.75)
    if near:
        found = by_lower[near[0]][:60]
        raise FeedBroken(f"{file}, line 1: the header {found!r} should be {header!r}: correct it at the source.")
    if not is_required:
        return
    if len(names) == 1 and re.search(r"[;\t|]", names[0]):
        raise FeedBroken(f"{file}, line 1: the columns are not separated by commas: export the file with commas.")
    if "sourcedId" not in names and not any(name in spec.columns or name in _UNMAPPED for name in names):
        raise FeedBroken(f"{file}, line 1: this is not a OneRoster header: the first line must name the columns.")
    raise FeedBroken(
        f"{file}, line 1: the column {header!r} is missing: export the file with every column of the specification."
    )


_UNMAPPED: Final = frozenset({
    "dateLastModified", "parentSourcedId", "schoolYear", "schoolYearSourcedId", "orgSourcedId", "subjectCodes",
    "location", "middleName", "sms", "phone", "agentSourcedIds", "password", "userMasterIdentifier",
    "preferredGivenName", "preferredMiddleName", "preferredFamilyName", "pronouns", "beginDate", "endDate",
    "userProfileSourcedId", "schoolSourcedId", "resources",
})  # fmt: skip
"""Columns of the specification that are not kept: never taken for a misspelling of one that is."""
