"""How much one run may change before a person is asked: pure rules over counts (docs/rules.md, R8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from roster_sync.core.text import number, percent
from roster_sync.core.vocabulary import NOUNS

PEOPLE = ("teachers", "students", "admins")
UNLIMITED = 100.0


@dataclass(frozen=True)
class Limits:
    """How much one run may change before a person is asked (docs/rules.md, R8); percentages, 100 lifts a limit."""

    deleted_percent: float = 10
    updated_percent: float = 75
    enrollments_percent: float = 50
    floor: int = 5


@dataclass(frozen=True)
class KindCount:
    """Per kind of row: of how many (base), how many would go, change, come."""

    kind: str
    base: int
    gone: int
    updated: int
    added: int


@dataclass(frozen=True)
class Breach:
    """One limit that a plan goes beyond."""

    kind: str
    what: str
    """removals | updates | turnover | issuer"""
    count: int
    base: int
    percent: float

    def sentence(self) -> str:
        """The breach in one sentence for questions, pages and emails, without a person. Kept with the plan."""
        if self.what == "issuer":
            return "This is the first roster from another source, so every ID is new."
        share = f"{number(self.count)} of {number(self.base)}"
        if self.what == "turnover":
            return f"{share} people are missing, and at least as many new people appear in their place."
        verb = "updated" if self.what == "updates" else "removed"
        return f"{share} {NOUNS[self.kind].many} would be {verb}; the limit is {percent(self.percent)}."

    def as_dict(self) -> dict[str, Any]:
        """For sync.runs.plan and everyone who shows it."""
        return asdict(self) | {"sentence": self.sentence()}


def for_run(limits: Limits, max_deleted_percent: float | None) -> Limits:
    """A district's limits with the run's own parameter over them; 100 lifts every limit."""
    if max_deleted_percent is None:
        return limits
    if max_deleted_percent >= UNLIMITED:
        return replace(limits, deleted_percent=UNLIMITED, updated_percent=UNLIMITED, enrollments_percent=UNLIMITED)
    return replace(
        limits,
        deleted_percent=max_deleted_percent,
        enrollments_percent=max(max_deleted_percent, limits.enrollments_percent),
    )


def _over(count: int, base: int, percent: float, floor: int) -> bool:
    return percent < UNLIMITED and count >= floor and count > base * percent / 100


def breaches(counts: Iterable[KindCount], limits: Limits, *, is_first_of_issuer: bool = False) -> list[Breach]:
    """Every limit that the counts go beyond, the gravest kind of hold first (issuer, turnover, removals, updates)."""
    counts = list(counts)
    found: list[Breach] = []
    people = [count for count in counts if count.kind in PEOPLE]
    base, gone, added = (sum(getattr(count, name) for count in people) for name in ("base", "gone", "added"))
    if is_first_of_issuer:
        found.append(Breach("people", "issuer", added, base, 0))
    if added >= gone and _over(gone, base, limits.deleted_percent, limits.floor):
        found.append(Breach("people", "turnover", gone, base, limits.deleted_percent))
    for count in counts:
        if count.kind == "admins":
            continue  # few by nature, and never deleted lightly: no share of them says anything
        percent = limits.enrollments_percent if count.kind == "enrollments" else limits.deleted_percent
        if _over(count.gone, count.base, percent, limits.floor):
            found.append(Breach(count.kind, "removals", count.gone, count.base, percent))
    for count in counts:
        if count.kind != "admins" and _over(count.updated, count.base, limits.updated_percent, limits.floor):
            found.append(Breach(count.kind, "updates", count.updated, count.base, limits.updated_percent))
    return found
