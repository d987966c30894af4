"""The words of the domain, each once: the codes that the database stores, and what people read for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from roster_sync.core.text import number

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

PLAN_KINDS: Final = ("schools", "teachers", "students", "admins", "classes", "enrollments")
"""The kinds of rows that a plan counts and limits."""
ENTITIES: Final = (*PLAN_KINDS, "licenses", "books")
"""What sync.run_counts counts, in the order in which people read it."""
PORTAL_ROLES: Final = ("teacher", "school_admin", "district_admin", "student")
"""Portal roles, first allowed wins where a person has several (docs/rules.md, R3.3)."""
ROLES_OF_KIND: Final = {"teachers": ["teacher"], "students": ["student"], "admins": ["school_admin", "district_admin"]}
"""The portal roles that each kind of people has."""
OPEN: Final = "in_progress"
"""The status of a run in progress."""


@dataclass(frozen=True)
class Noun:
    """A word that is counted."""

    one: str
    many: str

    def of(self, count: int) -> str:
        """2481 -> 2,481 students."""
        return f"{number(count)} {self.one if count == 1 else self.many}"


class Labels(dict[str, str]):
    """What people read for each code. A code that is not known is shown with spaces rather than lost."""

    def __missing__(self, code: str | None) -> str:
        return (code or "").replace("_", " ").capitalize()


NOUNS: Final = {
    "schools": Noun("school", "schools"),
    "teachers": Noun("teacher", "teachers"),
    "students": Noun("student", "students"),
    "admins": Noun("admin", "admins"),
    "users": Noun("person", "people"),
    "people": Noun("person", "people"),
    "classes": Noun("class", "classes"),
    "enrollments": Noun("enrollment", "enrollments"),
    "memberships": Noun("school membership", "school memberships"),
    "licenses": Noun("license", "licenses"),
    "books": Noun("book", "books"),
    "orgs": Noun("organization", "organizations"),
    "roles": Noun("role", "roles"),
    "terms": Noun("term", "terms"),
    "courses": Noun("course", "courses"),
}
"""Everything that is counted row by row."""
KINDS: Final = Labels({code: word.many.capitalize() for code, word in NOUNS.items()})
"""The same as headings."""
STEP_COUNTS: Final = NOUNS | {
    "requests": Noun("request", "requests"),
    "mails": Noun("email", "emails"),
    "unshared": Noun("no longer shared", "no longer shared"),
    "restored": Noun("shared again", "shared again"),
    "worklist_opened": Noun("worklist item opened", "worklist items opened"),
    "worklist_closed": Noun("worklist item closed", "worklist items closed"),
}
"""What a step of a run counts (sync.runs.steps)."""

MODES: Final = Labels(edit="Edit", reset="Reset", undo="Undo")
"""sync.runs.mode"""
STATUSES: Final = Labels(
    in_progress="In Progress", launched="Launched", held="On Hold", rejected="Rejected", failed="Failed",
    expired="Expired", skipped="Skipped", previewed="Previewed", undone="Undone",
)  # fmt: skip
"""sync.runs.status"""
TRIGGERS: Final = Labels(nightly="Nightly", hourly="Hourly", manual="Manual")
"""sync.runs.trigger; a reading of Clever's events is stored as nightly and called hourly."""
STEPS: Final = Labels(
    start="Getting ready", extract="Reading the roster", validate="Checking the roster",
    plan="Comparing with the portal", apply="Updating the portal", notify="Worklist and emails",
    ask="Asking for approval", preview="Previewing the undo", undo="Undoing the run",
    reopen="Resuming after approval", finish="Finishing",
)  # fmt: skip
"""The steps of a run (sync.runs.step, steps)."""
ORDER: Final = {
    "edit": ("extract", "validate", "plan", "apply", "notify"),
    "reset": ("extract", "validate", "plan", "apply", "notify"),
    "undo": ("undo", "notify"),
}
"""The steps of each mode that people follow, in their order."""

ROLES: Final = Labels(
    teacher="Teacher", student="Student", school_admin="School admin", district_admin="District admin",
)  # fmt: skip
"""portal.users.role"""
ORIGINS: Final = Labels(sync="Synced", manual="Added manually")
"""Who made a row of the portal."""
ACTIONS: Final = Labels(
    insert="Added", add="Added", update="Updated", restore="Shared again", unshare="No longer shared", end="Ended",
    delete="Deleted", free="Freed", merge="Merged", held="On Hold",
)  # fmt: skip
"""What happened to one row (staging.plan.action, sync.changes.action)."""
PLANNED: Final = {
    "add": "Add", "update": "Update", "restore": "Share again", "gone": "No longer shared", "delete": "Delete",
}  # fmt: skip
"""The columns of a plan; `gone` is what the actions unshare and end come to."""
COUNTS: Final = Labels(
    added="Added", updated="Updated", restored="Shared again", unshared="No longer shared", deleted="Deleted",
    held="On Hold",
)  # fmt: skip
"""What a run did, by the columns of sync.run_counts."""
UNDO_COUNTS: Final = COUNTS | {"added": "Put back", "updated": "Changed back", "deleted": "Removed"}
"""The same of an Undo, whose rows are not new."""
UNDO_PLANNED: Final = {"put back": "Put back", "changed back": "Changed back", "taken out": "Removed"}
"""What an Undo would do (sync.runs.plan)."""

QUESTIONS: Final = Labels(
    removals="Approve these removals?", updates="Approve these updates and removals?",
    everything="Approve this sync?", reset="Approve this Reset?",
)  # fmt: skip
"""What a held run asks, by what of it is held (sync.holds.scope)."""
ANSWERS: Final = Labels(approved="Approved", rejected="Rejected", timed_out="Not answered in time")
"""sync.holds.answer"""
SEVERITIES: Final = Labels(error="Rejected", warning="Warning", info="Note")
"""sync.findings.severity: an error rejects its row."""
SCHOOL_MODES: Final = Labels(all="All schools", listed="Selected schools")
"""sync.settings.school_mode"""

WORKLIST: Final = {
    "teacher_needs_license": Noun("teacher who needs a license", "teachers who need a license"),
    "school_needs_admin": Noun("school that needs an admin", "schools that need an admin"),
    "student_needs_books": Noun("student who needs books", "students who need books"),
    "role_drift": Noun("role that differs from the source", "roles that differ from the source"),
    "match_review": Noun("possible match", "possible matches"),
}
"""sync.worklist.kind"""
RESOLUTIONS: Final = Labels(
    licensed="license assigned", has_admin="admin added", has_books="books assigned", role_taken="role changed",
    same="same person", not_same="not the same person",
)  # fmt: skip
"""How a person closed an item of the worklist (sync.worklist.resolution)."""

FIELDS: Final = Labels(
    given_name="First name", family_name="Last name", email="Email", username="Username", grade="Grade",
    sis_id="SIS ID", state_id="State ID", source_id="Source ID", name="Name", nces_id="NCES ID", title="Title",
    subject="Subject", period="Period", term_name="Term", starts_on="Starts", ends_on="Ends", school_id="School",
    is_enabled="Enabled", is_shared="Shared", is_primary="Primary", is_active="Active", begins_on="Begins",
    ended_at="Ended", issuer="Source", role="Role", last_shared_at="Last shared",
)  # fmt: skip
"""Columns of the portal's tables."""
