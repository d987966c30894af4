"""The words of the domain: collections and their columns as they travel, entities as they are counted, roles, modes."""

from __future__ import annotations

from typing import Final

COLLECTIONS: Final[dict[str, tuple[str, ...]]] = {
    # One shape for every source: text as the source wrote it, OneRoster's terms in snake case. Lists are comma-joined.
    # Dates are YYYY-MM-DD, booleans the words true and false; NULL or '' = the source gave nothing.
    "orgs": ("source_id", "status", "name", "type", "identifier", "parent_source_id", "state_id", "nces_id"),
    "terms": ("source_id", "status", "title", "type", "starts_on", "ends_on"),
    "courses": ("source_id", "status", "title", "course_code", "grades", "subjects"),
    "classes": (
        "source_id", "status", "title", "grades", "course_source_id", "class_code", "class_type",
        "school_source_id", "term_source_ids", "subjects", "periods",
    ),
    "users": (
        "source_id", "status", "is_enabled", "org_source_ids", "role", "username", "user_ids", "given_name",
        "family_name", "identifier", "email", "grades", "primary_org_source_id", "state_id",
    ),
    "roles": ("source_id", "status", "user_source_id", "role_type", "role", "org_source_id"),
    "enrollments": (
        "source_id", "status", "class_source_id", "user_source_id", "role", "is_primary", "begins_on", "ends_on",
    ),
}  # fmt: skip
"""Collections in the order in which they are loaded, and the columns that are kept of each; all else is dropped."""

ENTITIES: Final = ("schools", "teachers", "students", "admins", "classes", "enrollments", "licenses", "books")
"""What sync.run_counts counts, in the order in which people read it."""

KINDS: Final = {
    "schools": "Schools", "teachers": "Teachers", "students": "Students", "admins": "Admins", "classes": "Classes",
    "enrollments": "Enrollments",
}  # fmt: skip
"""The kinds of rows that a plan counts and limits, and the word that people read for each."""

PORTAL_ROLES: Final = ("teacher", "school_admin", "district_admin", "student")
"""Portal roles, first allowed wins where a person has several (docs/rules.md, R3.3)."""

MODES: Final = ("edit", "reset", "undo")

OPEN: Final = "in_progress"
STATUSES: Final = {
    "in_progress": "In Progress", "launched": "Launched", "held": "On hold", "rejected": "Rejected",
    "failed": "Failed", "expired": "Expired", "skipped": "Skipped", "previewed": "Previewed", "undone": "Undone",
}  # fmt: skip
"""sync.runs.status and the word that people read for it."""
