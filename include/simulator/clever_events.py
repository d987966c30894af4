"""Clever's events: what changed from one day to the next, oldest first, kept for 30 days."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Final

from include.simulator.clever_json import CleverView, Json
from include.simulator.ids import CLEVER_EPOCH

KEPT_DAYS: Final = 30
_ORDER: Final = ("schools", "terms", "courses", "users", "sections")


class Events:
    """The events of one district."""

    def __init__(self, view_of: Callable[[int], CleverView]) -> None:
        """`view_of` gives the objects of a day."""
        self._view_of = view_of
        self._days: dict[int, list[Json]] = {}
        self._lock = threading.Lock()

    def until(self, day: int, since: int) -> list[Json]:
        """The events of the days after `since` up to `day`, as far back as they are kept."""
        found: list[Json] = []
        for number in range(max(2, since + 1, day - KEPT_DAYS + 1), day + 1):
            with self._lock:
                if number not in self._days:
                    self._days[number] = list(self._of(number))
            found += self._days[number]
        return found

    def forget(self) -> None:
        """What is shared has changed: all days are compared again."""
        with self._lock:
            self._days.clear()

    def _of(self, day: int) -> Iterator[Json]:
        before, after = self._view_of(day - 1), self._view_of(day)
        changes: list[tuple[str, Json, Json | None]] = []
        deleted: list[tuple[str, Json, Json | None]] = []
        for name in _ORDER:
            old = {record["id"]: record for record in before.makers()[name]()}
            new = {record["id"]: record for record in after.makers()[name]()}
            changes += [(f"{name}.created", new[key], None) for key in sorted(new.keys() - old.keys())]
            for key in sorted(new.keys() & old.keys()):
                if new[key] != old[key]:
                    changes.append((f"{name}.updated", new[key], _previous(old[key], new[key])))
            deleted += [(f"{name}.deleted", old[key], None) for key in sorted(old.keys() - new.keys())]
        stamp = after.day.district.timestamp(day)
        for number, (kind, record, previous) in enumerate([*changes, *reversed(deleted)]):
            event_id = f"{CLEVER_EPOCH + day * 86_400 + 5_400:08x}e0e0e0e0{number:08x}"
            event: Json = {"id": event_id, "type": kind, "created": stamp, "data": {"object": record}}
            if previous is not None:
                event["previous_attributes"] = previous
            yield event


def _previous(old: Json, new: Json) -> Json:
    """The old values of what changed, by top-level attribute."""
    return {name: old.get(name) for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def schools_of(event: Json) -> set[str]:
    """The schools that an event's record belongs to."""
    record = event["data"]["object"]
    if event["type"].startswith("schools."):
        return {record["id"]}
    found = {record["school"]} if "school" in record else set()
    for role in record.get("roles", {}).values():
        found |= set(role.get("schools", ()))
    return found
