"""The words of the pages: statuses, steps, actions and kinds as people read them, and the tone each is shown in."""

from __future__ import annotations

from typing import Any, Final

from roster_sync.core.vocabulary import STATUSES
from roster_sync.engine.freshen import PARAMETER as EVENTS

TONES: Final = {
    "in_progress": "info", "launched": "good", "held": "warn", "rejected": "quiet", "failed": "bad",
    "expired": "warn", "skipped": "warn", "previewed": "quiet", "undone": "quiet", "never": "quiet",
}  # fmt: skip
MODES: Final = {"edit": "Edit", "reset": "Reset", "undo": "Undo"}
TRIGGERS: Final = {"nightly": "Nightly", "hourly": "Hourly", "manual": "By hand"}
STEPS: Final = {
    "start": "Getting ready", "extract": "Reading the roster", "validate": "Checking it",
    "plan": "Working out what changes", "apply": "Writing to the portal", "notify": "Worklist and mails",
    "ask": "Asking for approval", "preview": "Working out what would come back", "undo": "Putting it back",
    "reopen": "Going on after the approval", "finish": "Closing",
}  # fmt: skip
ORDER: Final = {
    "edit": ("extract", "validate", "plan", "apply", "notify"),
    "reset": ("extract", "validate", "plan", "apply", "notify"),
    "undo": ("undo", "notify"),
}
KINDS: Final = {
    "schools": "Schools", "teachers": "Teachers", "students": "Students", "admins": "Admins", "classes": "Classes",
    "enrollments": "Enrollments", "memberships": "People in schools", "licenses": "Licenses", "books": "Books",
    "users": "People", "orgs": "Organizations", "roles": "Roles", "terms": "Terms", "courses": "Courses",
}  # fmt: skip
ACTIONS: Final = {
    "insert": "Added", "add": "Added", "update": "Updated", "restore": "Shared again", "unshare": "No longer shared",
    "end": "Ended", "delete": "Deleted", "free": "Freed", "merge": "Put together", "held": "On hold",
}  # fmt: skip
ROLES: Final = {
    "teacher": "Teacher", "student": "Student", "school_admin": "School admin", "district_admin": "District admin",
}  # fmt: skip
COUNTED: Final = {
    "orgs": ("organization", "organizations"), "schools": ("school", "schools"), "users": ("person", "people"),
    "roles": ("role", "roles"), "terms": ("term", "terms"), "courses": ("course", "courses"),
    "classes": ("class", "classes"), "enrollments": ("enrollment", "enrollments"), "requests": ("request", "requests"),
    "mails": ("mail", "mails"), "unshared": ("no longer shared", "no longer shared"),
    "restored": ("shared again", "shared again"),
    "worklist_opened": ("worklist item opened", "worklist items opened"),
    "worklist_closed": ("worklist item closed", "worklist items closed"),
}  # fmt: skip
"""What a step counts, as one and as many."""
WORKLIST: Final = {
    "teacher_needs_license": "Teachers who need a license",
    "school_needs_admin": "Schools that need an admin",
    "student_needs_books": "Students without their class's books",
    "role_drift": "Roles that differ from the source",
    "match_review": "Possibly the same person",
}
WORKLIST_ONE: Final = {
    "teacher_needs_license": "Teacher who needs a license",
    "school_needs_admin": "School that needs an admin",
    "student_needs_books": "Student without their class's books",
    "role_drift": "Role that differs from the source",
    "match_review": "Possibly the same person",
}
FIELDS: Final = {
    "given_name": "Given name", "family_name": "Family name", "email": "Email", "username": "User name",
    "grade": "Grade", "sis_id": "SIS id", "state_id": "State id", "source_id": "Id at the source", "name": "Name",
    "nces_id": "NCES id", "title": "Title", "subject": "Subject", "period": "Period", "term_name": "Term",
    "starts_on": "Starts", "ends_on": "Ends", "school_id": "School", "is_enabled": "Enabled", "is_shared": "Shared",
    "is_primary": "Primary", "is_active": "Active", "begins_on": "Begins", "ended_at": "Ended", "issuer": "Source",
    "role": "Role", "last_shared_at": "Last shared",
}  # fmt: skip
SCOPES: Final = {
    "removals": "These removals wait", "updates": "These updates and removals wait",
    "everything": "Everything waits", "reset": "This Reset waits",
}  # fmt: skip
SCHOOL_MODES: Final = {"all": "all, also new ones", "listed": "these"}
ANSWERS: Final = {"approved": "Approved", "rejected": "Rejected", "timed_out": "Not answered in time"}


def status(code: str | None) -> str:
    """'held' -> 'On hold'."""
    return STATUSES.get(code or "", "Never synced")


def tone(code: str | None) -> str:
    """The tone of a status: good, info, warn, bad or quiet."""
    return TONES.get(code or "never", "quiet")


def of(table: dict[str, str], code: str | None) -> str:
    """The word for a code; an unknown code is shown with its underscores as spaces rather than lost."""
    return table.get(code or "", (code or "").replace("_", " ").capitalize())


def counted(name: str, count: int) -> str:
    """(1, 'mails') -> '1 mail'; a name that is not known is shown as it is."""
    one, many = COUNTED.get(name, (name.replace("_", " "), name.replace("_", " ")))
    return f"{count:,} {one if count == 1 else many}"


def open_items(kind: str, count: int) -> str:
    """What is on the worklist, after its number: 'role that differs from the source', 'roles that differ ...'."""
    return (WORKLIST_ONE if count == 1 else WORKLIST).get(kind, kind.replace("_", " ")).lower()


def setting(change: dict[str, Any]) -> str:
    """A change of a setting in words: what it was and what it became."""
    name, before, after = change["setting"], change["before"], change["after"]
    if name == "expires_on":
        return f"Valid through: {before or 'never expires'} → {after or 'never expires'}"
    if name == "school_mode":
        return f"Schools: {SCHOOL_MODES.get(before, before)} → {SCHOOL_MODES.get(after, after)}"
    if name == "sync_emails":
        return f"Sync emails: {after} added" if after else f"Sync emails: {before} taken off"
    if name == "schools":
        off, on = (_some(names.get("chosen") or []) for names in (before, after))
        told = [f"chosen {on}"] if on else []
        return "Schools: " + "; ".join(told + ([f"no longer chosen {off}"] if off else []))
    return of({}, name)


def _some(names: list[str], most: int = 5) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def trigger(run: dict[str, Any]) -> str:
    """What started a run, and who: 'By hand, dana'. A reading of events is told by its parameter."""
    code = "hourly" if run["trigger"] == "nightly" and run["parameters"].get(EVENTS) else run["trigger"]
    who = run["started_by"] if run["started_by"] != "schedule" else None
    return ", ".join(part for part in (of(TRIGGERS, code), who) if part)


def value(content: Any) -> str:
    """A value of a before or after image as people read it."""
    if content is None or content == "":
        return "–"
    if isinstance(content, bool):
        return "yes" if content else "no"
    return str(content)
