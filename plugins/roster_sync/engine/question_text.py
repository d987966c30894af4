"""The text of a question: numbers and names of schools, never of a person, because Airflow keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from roster_sync.engine import plan_text

SCHOOLS_SHOWN: Final = 50
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


def body(found: Mapping[str, Any], page: str) -> str:
    """The question in Markdown, from a row of runs/question.sql, and the address of the run's page."""
    plan = found["summary"]
    losses = plan_text.losses(plan, found["mode"], SCHOOLS_SHOWN)
    parts = [
        str(plan.get("sentence") or ""),
        _markdown(plan_text.plan_table(plan)),
        *(_literal(sentence) for sentence in losses.values()),
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
