"""What a plan says to people, once for the question, the run's page and the emails; no person is in it.

A plan is read as sync.runs.plan and sync.holds.summary keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from roster_sync.core.text import listing, plural, table
from roster_sync.core.vocabulary import KINDS, PLAN_KINDS, PLANNED, UNDO_PLANNED

SCHOOLS_SHOWN: Final = 20
SCHOOLS_IN_QUESTION: Final = 50
CONSEQUENCES: Final = {
    "removals": "New and updated rows are in the portal. **Approve** marks the rows above as no longer shared; nothing "
    "is deleted. **Reject** leaves them as they are.",
    "updates": "New rows are in the portal. **Approve** writes the updates and marks the missing rows as no longer "
    "shared. **Reject** leaves both as they are.",
    "everything": "Nothing has been written. **Approve** runs the whole sync. **Reject** leaves the portal as it is.",
    "reset": "Nothing has been written. **Approve** reads the roster again and deletes what is listed here, never "
    "more. **Reject** leaves the portal as it is.",
}
"""What each answer does, by what is held (sync.holds.scope)."""


def breaches(plan: Mapping[str, Any]) -> list[str]:
    """Every limit that the plan goes beyond, one sentence each."""
    return [breach["sentence"] for breach in plan.get("breaches") or []]


def losses(plan: Mapping[str, Any], mode: str, schools_shown: int = SCHOOLS_SHOWN) -> dict[str, str]:
    """What people have to know of before they say yes, by what it is about: schools, licenses, books, manual.

    Args:
        plan: sync.runs.plan or sync.holds.summary.
        mode: edit or reset.
        schools_shown: how many schools are named.
    """
    found = {}
    if removed := (plan.get("schools") or {}).get("removed"):
        verb = "be deleted" if mode == "reset" else "no longer be shared"
        found["schools"] = f"{plural(len(removed), 'school')} would {verb}: {listing(removed, schools_shown)}."
    if licenses := plan.get("licenses_to_free"):
        found["licenses"] = f"{plural(licenses, 'license')} would be freed."
    if books := plan.get("books_to_free"):
        found["books"] = f"{plural(books, 'student book')} would be taken back."
    if manual := plan.get("manual"):
        found["manual"] = f"{plural(manual, 'manually added row')} would be deleted too."
    return found


def plan_table(plan: Mapping[str, Any]) -> list[list[str]]:
    """What an Edit or a Reset would do, by kind of row; the last column is how many rows of the kind there are."""
    bases = plan.get("bases") or {}
    rows = []
    for kind in PLAN_KINDS:
        actions = (plan.get("counts") or {}).get(kind, {})
        gone = actions.get("unshare", 0) + actions.get("end", 0)
        rows.append((KINDS[kind], {**actions, "gone": gone, "of": bases.get(kind, 0)}))
    return table(rows, {**PLANNED, "of": "Of"}, total="of")


def undo_table(plan: Mapping[str, Any]) -> list[list[str]]:
    """What an Undo would do, by kind of row."""
    counts = plan.get("counts") or {}
    rows = [(KINDS[kind], counts[kind]) for kind in (*PLAN_KINDS, "licenses", "books") if kind in counts]
    return table(rows, UNDO_PLANNED)


def question(found: Mapping[str, Any], page: str) -> str:
    """A held run's question in Markdown, from a row of runs/question.sql and the address of the run's page.

    It names schools and no person: Airflow keeps it in its own database.
    """
    plan = found["summary"]
    parts = [
        str(plan.get("sentence") or ""),
        _markdown(plan_table(plan)),
        *(_literal(sentence) for sentence in losses(plan, found["mode"], SCHOOLS_IN_QUESTION).values()),
        CONSEQUENCES[found["scope"]],
        f"[The page of run {found['run_id']}]({page}) shows who they are.",
    ]
    return "\n\n".join(part for part in parts if part)


def _markdown(table: list[list[str]]) -> str:
    """A table of numbers in Markdown; empty where it has no line."""
    if not table:
        return ""
    head, *lines = (f"| {' | '.join(cells)} |" for cells in table)
    return "\n".join([head, "|---|" + "---:|" * (len(table[0]) - 1), *lines])


def _literal(text: str) -> str:
    """Text with a school's name in it, as Markdown leaves it alone."""
    return "".join(letter if letter.isalnum() or letter in " -.,:'’()/&" else " " for letter in text)
