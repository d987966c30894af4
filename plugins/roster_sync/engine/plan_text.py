"""What a plan says to people, once for the question, the run's page and the emails; no person is in it.

A plan is read as sync.runs.plan and sync.holds.summary keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from roster_sync.core.text import listing, plural, table
from roster_sync.core.vocabulary import KINDS, PLAN_KINDS, PLANNED, UNDO_PLANNED

SCHOOLS_SHOWN: Final = 20


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
    if freed := plan.get("licenses_freed"):
        found["licenses"] = f"{plural(freed, 'license')} would be freed."
    if books := plan.get("books_freed"):
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
