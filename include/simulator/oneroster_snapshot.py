"""A day of a district as OneRoster serves it: serialized once, and the relations between the collections."""

from __future__ import annotations

import json
import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final

from include.simulator.oneroster_json import FIELDS, Json, JsonView, dump
from include.simulator.oneroster_query import parse, values_of
from include.simulator.spool import Spool

STORED: Final[dict[str, tuple[str, str]]] = {
    # collection -> (the stored collection it is part of, the name of one record)
    "orgs": ("orgs", "org"), "schools": ("orgs", "org"),
    "academicSessions": ("academicSessions", "academicSession"), "terms": ("academicSessions", "academicSession"),
    "gradingPeriods": ("academicSessions", "academicSession"), "courses": ("courses", "course"),
    "classes": ("classes", "class"), "users": ("users", "user"), "students": ("users", "user"),
    "teachers": ("users", "user"), "enrollments": ("enrollments", "enrollment"),
    "demographics": ("demographics", "demographics"),
}  # fmt: skip
_SUBSETS: Final = {
    "schools": ("type", ("school",)), "terms": ("type", ("term", "semester")),
    "gradingPeriods": ("type", ("gradingPeriod",)), "students": ("role", ("student",)),
    "teachers": ("role", ("teacher",)),
}  # fmt: skip
"""Collections that are a part of another: semesters count as terms, as most servers do."""

Positions = Sequence[int]
_NONE: Final[Positions] = ()


class Snapshot:
    """All records of one day; each collection is made when it is first asked for."""

    def __init__(self, view: JsonView, before: JsonView | None = None, gone: str = "tobedeleted") -> None:
        """With `before`, what is gone since that day is listed too, with the status `gone`."""
        self.view, self._before, self._gone = view, before, gone
        self._spools: dict[str, Spool] = {}
        self._ids: dict[str, dict[str, int]] = {}
        self._subsets: dict[str, Positions] = {}
        self._groups: dict[tuple[str, str], dict[str, array[int]]] = {}
        self._filtered: OrderedDict[tuple[str, ...], Positions] = OrderedDict()
        self._lock = threading.RLock()

    def spool(self, stored: str) -> Spool:
        """A stored collection."""
        with self._lock:
            if stored not in self._spools:
                self._spools[stored] = Spool(self._noted(stored))
            return self._spools[stored]

    def _noted(self, stored: str) -> Iterator[bytes]:
        """The records; notes which ones belong to the smaller collections."""
        parts = {name: array("l") for name, (whole, _) in STORED.items() if whole == stored and name != whole}
        for position, record in enumerate(self._records(stored)):
            for name, positions in parts.items():
                field, wanted = _SUBSETS[name]
                if any(value in wanted for value in values_of(record, self._path(field))):
                    positions.append(position)
            yield dump(record)
        self._subsets.update(parts)

    def _path(self, field: str) -> str:
        return "roles.role" if field == "role" and self.view.version == "1.2" else field

    def _records(self, stored: str) -> Iterator[Json]:
        if self._before is None:
            yield from self.view.makers()[stored]()
            return
        here = set()
        for record in self.view.makers()[stored]():
            here.add(record["sourcedId"])
            yield record
        stamp = self.view.day.district.timestamp(self.view.day.number)
        for record in self._before.makers()[stored]():
            if record["sourcedId"] not in here:
                yield {**record, "status": self._gone, "dateLastModified": stamp}

    def fields(self, stored: str) -> frozenset[str]:
        """The fields that records of a collection may have."""
        return FIELDS.get(stored) or FIELDS[f"{stored} {self.view.version}"]

    def record(self, stored: str, position: int) -> Json:
        """One record, as JSON reads it."""
        found: Json = json.loads(self.spool(stored).one(position))
        return found

    def positions(self, collection: str) -> Positions:
        """The positions of the records of a collection in the stored one."""
        stored = STORED[collection][0]
        spool = self.spool(stored)
        return range(len(spool)) if collection == stored else self._subsets[collection]

    def find(self, collection: str, sourced_id: str) -> int | None:
        """The position of one record; None = not in this collection."""
        stored = STORED[collection][0]
        with self._lock:
            if stored not in self._ids:
                count = range(len(self.spool(stored)))
                self._ids[stored] = {self.record(stored, position)["sourcedId"]: position for position in count}
            position = self._ids[stored].get(sourced_id)
        if position is not None and collection != stored and position not in self._subsets[collection]:
            return None
        return position

    def group(self, stored: str, field: str) -> dict[str, array[int]]:
        """The positions of records by a field's values."""
        with self._lock:
            if (stored, field) not in self._groups:
                groups: dict[str, array[int]] = {}
                for position in range(len(self.spool(stored))):
                    for value in values_of(self.record(stored, position), field):
                        groups.setdefault(value, array("l")).append(position)
                self._groups[stored, field] = groups
            return self._groups[stored, field]

    def select(self, stored: str, key: str, positions: Positions, condition: str, sort: str, order: str) -> Positions:
        """Filters and sorts; `key` names the positions, so that the next page does not do it again."""
        memory = (stored, key, condition, sort, order)
        with self._lock:
            if memory in self._filtered:
                return self._filtered[memory]
        chosen: Positions = positions
        if condition:
            test = parse(condition, self.fields(stored))
            chosen = [position for position in positions if test(self.record(stored, position))]
        if sort:
            sort_keys = {position: values_of(self.record(stored, position), sort) for position in chosen}
            chosen = sorted(chosen, key=sort_keys.__getitem__, reverse=order == "desc")
        with self._lock:
            self._filtered[memory] = chosen
            while len(self._filtered) > 40:
                self._filtered.popitem(last=False)
        return chosen

    # -- relations ------------------------------------------------------------------------------------------------

    def related(self, collection: str, sourced_id: str, wanted: str, within: str = "") -> tuple[str, Positions] | None:
        """The records of `wanted` that belong to one of `collection`; None = there is no such record."""
        if self.find(collection, sourced_id) is None:
            return None
        if within:  # /schools/{id}/classes/{id}/...
            position = self.find("classes", within)
            if position is None or position not in self.group("classes", "school").get(sourced_id, ()):
                return None
            collection, sourced_id = "classes", within
        return STORED[wanted][0], self._related(collection, sourced_id, wanted)

    def _related(self, collection: str, sourced_id: str, wanted: str) -> Positions:
        if wanted == "classes":
            if collection in ("students", "teachers", "users"):
                lines = self._lines("user", sourced_id, collection)
                return self._positions_of("classes", lines, "class")
            field = {"schools": "school", "courses": "course", "terms": "terms"}[collection]
            return self.group("classes", field).get(sourced_id, _NONE)
        if wanted == "enrollments":
            return self.group("enrollments", "school" if collection == "schools" else "class").get(sourced_id, _NONE)
        if wanted == "terms":
            return self.positions("terms")
        if wanted == "gradingPeriods":
            children = self.group("academicSessions", "parent").get(sourced_id, _NONE)
            periods = set(self.positions("gradingPeriods"))
            return [position for position in children if position in periods]
        if wanted == "courses":
            classes = self.group("classes", "school").get(sourced_id, _NONE)
            return self._positions_of("courses", [self.record("classes", position) for position in classes], "course")
        return self._people(collection, sourced_id, wanted)

    def _people(self, collection: str, sourced_id: str, wanted: str) -> Positions:
        if collection == "classes":
            return self._positions_of("users", self._lines("class", sourced_id, wanted), "user")
        field = "orgs" if self.view.version == "1.1" else "roles.org"
        of_kind = set(self.positions(wanted))
        return sorted(
            {position for position in self.group("users", field).get(sourced_id, _NONE) if position in of_kind}
        )

    def _lines(self, field: str, sourced_id: str, kind: str) -> list[Json]:
        positions = self.group("enrollments", field).get(sourced_id, _NONE)
        lines = [self.record("enrollments", position) for position in positions]
        role = {"students": "student", "teachers": "teacher"}.get(kind)
        return [line for line in lines if role is None or line["role"] == role]

    def _positions_of(self, stored: str, records: Sequence[Json], field: str) -> Positions:
        found = {self.find(stored, record[field]["sourcedId"]) for record in records}
        return sorted(position for position in found if position is not None)
