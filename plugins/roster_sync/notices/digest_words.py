"""The words and tables of a digest: what a rule means and how it is mended, who holds what, how much of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from roster_sync.config.templates import counted, number
from roster_sync.core.vocabulary import KINDS
from roster_sync.notices.mails import Row

MODES: Final = {"edit": "Edit", "reset": "Reset", "undo": "Undo"}
ROLES: Final = {
    "teacher": "teacher", "student": "student", "school_admin": "school admin", "district_admin": "district admin",
    "school": "school",
}  # fmt: skip
NOUNS: Final = {
    "schools": ("school", "schools"), "users": ("person", "people"), "classes": ("class", "classes"),
    "enrollments": ("enrollment", "enrollments"), "roles": ("role", "roles"), "terms": ("term", "terms"),
    "courses": ("course", "courses"), "orgs": ("organization", "organizations"),
}  # fmt: skip
CURES: Final = {
    "missing_id": ("without an id", "Give each its id at the source."),
    "class_without_school": (
        "without a school that is shared",
        "Give each class its school at the source, or share the school.",
    ),
    "nul_byte": ("with a character that is no text", "Type the value again at the source."),
    "bad_utf8": ("with letters in a wrong encoding", "Export the file as UTF-8."),
    "ragged_line": ("with too few or too many columns", "Export the file again; put quotes around values with commas."),
    "not_an_object": ("that could not be read", "The operator of the source has to mend it."),
}
"""Rule of a rejected row -> what is wrong with it, and how to mend it at the source; never a value."""
CAPPED: Final = 1000
"""The most findings of one rule that a run keeps."""


def full_name(row: Mapping[str, Any]) -> str:
    """A person's name as a mail shows it."""
    return " ".join(part for part in (row["given_name"], row["family_name"]) if part) or "(no name)"


def first_school(row: Mapping[str, Any]) -> str:
    """Where someone stands: the first of their schools, and how many more."""
    if not row["school"]:
        return ""
    return str(row["school"]) + (f" and {row['schools'] - 1} more" if row["schools"] > 1 else "")


def roles(words: Any) -> str:
    """The source's roles in plain words."""
    return ", ".join(ROLES.get(word, str(word)) for word in words or []) or "another role"


def holders(found: list[dict[str, Any]]) -> list[Row]:
    """Who held which license."""
    return [
        Row(row["holder"] or "(no name)", f"{row['product']}, {ROLES[row['holder_kind'] or 'school']}") for row in found
    ]


def cure_of(entity: str, rule: str, count: int) -> Row:
    """How many rows a rule rejected, and how to mend them."""
    one, many = NOUNS.get(entity, ("row", "rows"))
    problem, cure = CURES.get(rule, ("that could not be used", "The run's page says what is wrong with each."))
    shown = f"{CAPPED:,} or more {many}" if count >= CAPPED else counted(count, one, many)
    return Row(f"{shown} {problem}", cure)


def listed(names: list[str], most: int = 20) -> str:
    """Names of schools in a sentence."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def plan_facts(plan: Mapping[str, Any], mode: str) -> list[str]:
    """What a plan would do that a person has to know of, a sentence each; empty where nothing of it is grave."""
    gone = "be deleted" if mode == "reset" else "go"
    facts = [_breach(breach, gone) for breach in plan.get("breaches") or []]
    if removed := (plan.get("schools") or {}).get("removed"):
        facts.append(f"{counted(len(removed), 'school')} would {gone}: {listed(removed)}.")
    if plan.get("licenses_freed"):
        facts.append(f"{counted(plan['licenses_freed'], 'license')} would be freed.")
    if plan.get("books_freed"):
        facts.append(f"{counted(plan['books_freed'], 'book')} of students would be taken back.")
    if plan.get("manual"):
        facts.append(f"{counted(plan['manual'], 'row')} made by hand would be deleted too.")
    return facts


def _breach(breach: Mapping[str, Any], gone: str) -> str:
    if breach["what"] == "issuer":
        return "This is the first roster from another source: every id is new."
    of = f"{number(breach['count'])} of {number(breach['base'])}"
    if breach["what"] == "turnover":
        return f"{of} people are gone while as many unknown ones come."
    kind = KINDS.get(breach["kind"], breach["kind"]).lower()
    verb = "change" if breach["what"] == "updates" else gone
    return f"{of} {kind} would {verb}; the limit is {breach['percent']:g} %."


def plan_table(plan: Mapping[str, Any]) -> list[list[str]]:
    """What a plan would do, per kind of row."""
    bases = plan.get("bases") or {}
    lines = []
    for kind, label in KINDS.items():
        actions = (plan.get("counts") or {}).get(kind, {})
        gone = actions.get("unshare", 0) + actions.get("end", 0)
        numbers = [actions.get(name, 0) for name in ("add", "update", "restore")]
        lines.append((label, [*numbers, gone, actions.get("delete", 0), bases.get(kind, 0)]))
    return table_of(lines, ["Add", "Update", "Share again", "No longer shared", "Delete", "Of"], is_last_a_base=True)


def undo_table(plan: Mapping[str, Any]) -> list[list[str]]:
    """What an undo would do, per kind of row."""
    names = ("put back", "changed back", "taken out")
    counts = plan.get("counts") or {}
    lines = [
        (label, [counts[kind].get(name, 0) for name in names])
        for kind, label in {**KINDS, "licenses": "Licenses", "books": "Books"}.items()
        if kind in counts
    ]
    return table_of(lines, [name.capitalize() for name in names])


def table_of(lines: list[tuple[str, list[int]]], heads: list[str], *, is_last_a_base: bool = False) -> list[list[str]]:
    """Head and lines, without the columns and lines in which nothing happens; empty where nothing does."""
    happening = [place for place in range(len(heads)) if not (is_last_a_base and place == len(heads) - 1)]
    places = [place for place in happening if any(numbers[place] for _, numbers in lines)]
    kept = [(label, numbers) for label, numbers in lines if any(numbers[place] for place in places)]
    if not kept:
        return []
    if is_last_a_base:
        places.append(len(heads) - 1)
    body = [
        [label, *(number(numbers[place]) if numbers[place] else "–" for place in places)] for label, numbers in kept
    ]
    return [["", *(heads[place] for place in places)], *body]
