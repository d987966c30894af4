"""The words of a question: numbers and names of schools, never of a person, because Airflow keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from roster_sync.core.vocabulary import KINDS

COLUMNS: Final = ("add", "update", "restore", "take out of sight", "delete", "of")
SCHOOLS_AT_MOST: Final = 50
CONSEQUENCES: Final = {
    "removals": "Adds and updates are done. **Approve** takes these rows out of sight (nothing is deleted); "
    "**Reject** leaves them.",
    "updates": "New rows are in. **Approve** writes the updates and takes the rows out of sight; "
    "**Reject** leaves all as it is.",
    "everything": "Nothing was written. **Approve** carries the whole run out; **Reject** leaves the portal as it is.",
    "reset": "Nothing was written. **Approve** reads the roster again and deletes what is listed here, never more; "
    "**Reject** leaves the portal as it is.",
}
"""What each answer does, by what is held (sync.holds.scope)."""


def body(found: Mapping[str, Any], page: str) -> str:
    """The question in Markdown, from a row of runs/question.sql, and the address of the run's page."""
    plan = found["summary"]
    lines = [str(plan.get("sentence") or ""), "", *_table(plan)]
    if plan["schools"]["removed"]:
        names = ", ".join(_plain(name) for name in plan["schools"]["removed"][:SCHOOLS_AT_MOST])
        lines += ["", f"Schools that would go: {names}."]
    if plan["licenses_freed"]:
        lines += ["", f"Licenses that would be freed: {plan['licenses_freed']:,}."]
    if plan.get("books_freed"):
        lines += ["", f"Books of students that would be taken back: {plan['books_freed']:,}."]
    if plan["manual"]:
        lines += ["", f"Rows made by hand that would go with their school or by request: {plan['manual']:,}."]
    who = f"Who they are stands on [the page of run {found['run_id']}]({page})."
    lines += ["", CONSEQUENCES[found["scope"]], "", who]
    return "\n".join(lines)


def _table(plan: Mapping[str, Any]) -> list[str]:
    """The numbers by kind of row, without rows and columns that hold nothing."""
    rows = {}
    for kind, label in KINDS.items():
        actions = plan["counts"].get(kind, {})
        numbers = [actions.get(action, 0) for action in ("add", "update", "restore")]
        numbers += [actions.get("unshare", 0) + actions.get("end", 0), actions.get("delete", 0)]
        if any(numbers) or plan["bases"].get(kind, 0):
            rows[label.lower()] = [*numbers, plan["bases"].get(kind, 0)]
    shown = [place for place, _ in enumerate(COLUMNS) if any(numbers[place] for numbers in rows.values())]
    lines = ["| | " + " | ".join(COLUMNS[place] for place in shown) + " |", "|---|" + "---:|" * len(shown)]
    lines += [f"| {kind} | " + " | ".join(f"{row[place]:,}" for place in shown) + " |" for kind, row in rows.items()]
    return lines if shown else []


def _plain(name: str) -> str:
    """A school's name as text that Markdown leaves alone."""
    return "".join(letter if letter.isalnum() or letter in " -.,'’()/&" else " " for letter in name)
