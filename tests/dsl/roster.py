"""A handful of records that a district shares (Roster), and a source that sends them from memory (MemorySource)."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from roster_sync.core.vocabulary import COLLECTIONS
from roster_sync.sources.base import CollectionReport, FeedReport, ProbeReport, Sink

Record = dict[str, str]


@dataclass
class Roster:
    """What a district shares, record by record, in the columns of vocabulary.COLLECTIONS.

    What adds a record returns the roster itself, to chain calls; `with_...` and `without...` return a new one.
    """

    collections: dict[str, list[Record]] = field(default_factory=lambda: {name: [] for name in COLLECTIONS})
    issuer: str = "memory:one"
    has_sis_ids: bool = True
    """Whether schools, people and classes carry an id of the student information system, and people a username."""

    def add(self, collection: str, record: Record) -> Roster:
        self.collections[collection].append(record)
        return self

    def _sis_id(self, source_id: str) -> str:
        return f"sis-{source_id}" if self.has_sis_ids else ""

    def school(self, source_id: str, **more: str) -> Roster:
        return self.add("orgs", {"source_id": source_id, "status": "active", "name": f"School {source_id}",
                                 "type": "school", "identifier": self._sis_id(source_id), **more})  # fmt: skip

    def user(self, source_id: str, role: str, *schools: str, **more: str) -> Roster:
        return self.add("users", {
            "source_id": source_id, "status": "active", "is_enabled": "true", "org_source_ids": ",".join(schools),
            "role": role, "username": f"user-{source_id}" if self.has_sis_ids else "",
            "given_name": f"Given-{source_id}", "family_name": f"Family-{source_id}",
            "identifier": self._sis_id(source_id),
            "email": f"{source_id}@people.example", "grades": "07" if role == "student" else "", **more,
        })  # fmt: skip

    def teacher(self, source_id: str, *schools: str, **more: str) -> Roster:
        return self.user(source_id, "teacher", *schools, **more)

    def student(self, source_id: str, *schools: str, **more: str) -> Roster:
        return self.user(source_id, "student", *schools, **more)

    def students(self, prefix: str, count: int, *schools: str) -> list[str]:
        """Many students; returns their ids."""
        ids = [f"{prefix}{number}" for number in range(1, count + 1)]
        for source_id in ids:
            self.student(source_id, *schools)
        return ids

    def class_(
        self, source_id: str, school: str, teachers: str = "", students: str | Iterable[str] = (), **more: str
    ) -> Roster:
        """A class with its people: teachers (the first is the primary one) and students, separated by blanks."""
        self.add("classes", {"source_id": source_id, "status": "active", "title": f"Class {source_id}",
                             "class_code": self._sis_id(source_id), "school_source_id": school, "grades": "07",
                             "periods": "1", **more})  # fmt: skip
        for number, teacher in enumerate(teachers.split()):
            self.enroll(source_id, teacher, "teacher", is_primary="false" if number else "true")
        for student in students.split() if isinstance(students, str) else students:
            self.enroll(source_id, student)
        return self

    def enroll(self, class_id: str, user: str, role: str = "student", **more: str) -> Roster:
        return self.add("enrollments", {"source_id": f"e-{class_id}-{user}", "status": "active",
                                        "class_source_id": class_id, "user_source_id": user, "role": role,
                                        "is_primary": "false", **more})  # fmt: skip

    def term(self, source_id: str, title: str, starts_on: str, ends_on: str) -> Roster:
        return self.add("terms", {"source_id": source_id, "status": "active", "title": title, "type": "term",
                                  "starts_on": starts_on, "ends_on": ends_on})  # fmt: skip

    # -- reading --------------------------------------------------------------------------------------------------

    @property
    def orgs(self) -> dict[str, Record]:
        """Schools by id; the records are the roster's own."""
        return self._by_id("orgs")

    @property
    def users(self) -> dict[str, Record]:
        return self._by_id("users")

    @property
    def classes(self) -> dict[str, Record]:
        return self._by_id("classes")

    @property
    def enrollments(self) -> dict[tuple[str, str, str], Record]:
        """Enrollments by class, person and role."""
        return {(record["class_source_id"], record["user_source_id"], record["role"]): record
                for record in self.collections["enrollments"]}  # fmt: skip

    def _by_id(self, collection: str) -> dict[str, Record]:
        return {record["source_id"]: record for record in self.collections[collection]}

    # -- another roster -------------------------------------------------------------------------------------------

    def copy(self) -> Roster:
        return copy.deepcopy(self)

    def without(self, *source_ids: str) -> Roster:
        """A copy without these records, nor the enrollments that name them."""
        gone = set(source_ids)
        return self._filtered(lambda record: not gone & {record["source_id"], record.get("class_source_id"),
                                                         record.get("user_source_id")})  # fmt: skip

    def without_school(self, *source_ids: str) -> Roster:
        """A copy without these schools, their classes and enrollments; people list only the schools that are left."""
        classes = [name for name, record in self.classes.items() if record["school_source_id"] in source_ids]
        other = self.without(*source_ids, *classes)
        for user in other.collections["users"]:
            schools = [school for school in user["org_source_ids"].split(",") if school not in source_ids]
            user["org_source_ids"] = ",".join(schools)
        return other

    def without_rows(self, *source_ids: str) -> Roster:
        """A copy without the records of these ids; what names them stays."""
        return self._filtered(lambda record: record["source_id"] not in source_ids)

    def without_all(self, *collections: str) -> Roster:
        """A copy in which these collections came, and hold nothing."""
        other = self.copy()
        for name in collections:
            other.collections[name] = []
        return other

    def _filtered(self, keep: Callable[[Record], bool]) -> Roster:
        other = self.copy()
        for records in other.collections.values():
            records[:] = filter(keep, records)
        return other

    def with_(self, source_id: str, /, **values: str) -> Roster:
        """A copy in which every record of this id has other values."""
        other = self.copy()
        found = [record for records in other.collections.values() for record in records
                 if record["source_id"] == source_id]  # fmt: skip
        assert found, f"no record {source_id}"
        for record in found:
            record.update(values)
        return other

    def renamed(self, ids: Mapping[str, str]) -> Roster:
        """A copy in which ids are others, wherever they are named; all else stays."""

        def new(value: str) -> str:
            return ",".join(ids.get(part, part) for part in value.split(","))

        other = self.copy()
        for record in itertools.chain(*other.collections.values()):
            record |= {column: new(value) for column, value in record.items()
                       if column.endswith(("source_id", "source_ids"))}  # fmt: skip
        return other

    def all_renamed(self) -> Roster:
        """As another issuer would send it: every id is another."""
        ids = {record["source_id"]: f"x-{record['source_id']}" for records in self.collections.values()
               for record in records}  # fmt: skip
        return self.renamed(ids)

    def reversed(self) -> Roster:
        """The same records in the other order."""
        other = self.copy()
        for records in other.collections.values():
            records.reverse()
        return other


@dataclass
class MemorySource:
    """A source whose records are a Roster; reports of itself whatever a test needs, and can be asked for one record."""

    roster: Roster
    issuer: str = ""
    """Another issuer than the roster's."""
    incomplete: Mapping[str, str] = field(default_factory=dict)
    """Collection -> why it did not come whole."""
    not_shared: tuple[str, ...] = ("roles",)
    """Collections of which the report says nothing."""
    adds_only: str = ""
    revision: str | None = None
    rejects: tuple[dict[str, Any], ...] = ()
    """Records that could not be read: arguments of Sink.reject."""
    live: Mapping[tuple[str, str], bool | None] = field(default_factory=dict)
    """What it answers when it is asked for a record that is not in the roster: gone, unless said here."""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def probe(self) -> ProbeReport:
        return ProbeReport(issuer=self.issuer or self.roster.issuer)

    def fetch(self, sink: Sink) -> FeedReport:
        report = FeedReport(self.issuer or self.roster.issuer, revision=self.revision, adds_only=self.adds_only)
        for name, columns in COLLECTIONS.items():
            if name in self.not_shared:
                continue
            records = self.roster.collections[name]
            rows = [[record.get(column) or None for column in columns] for record in records]
            received = sink.copy_rows(name, columns, rows)
            reason = self.incomplete.get(name, "")
            report.collections[name] = CollectionReport(received, len(rows), not reason, reason)
        for reject in self.rejects:
            sink.reject(**reject)
        return report

    def is_live(self, collection: str, source_id: str) -> bool | None:
        """Whether a single record is still there."""
        self.asked.append((collection, source_id))
        is_there = any(record["source_id"] == source_id for record in self.roster.collections[collection])
        return is_there or self.live.get((collection, source_id), False)


def delta(roster: Roster, **more: Any) -> MemorySource:
    """A source that sends only what changed: no collection proves an absence."""
    return MemorySource(roster, incomplete=dict.fromkeys(COLLECTIONS, "This is a delta file."), **more)


def town() -> Roster:
    """Two schools with two classes each: t1, t2 teach a1..a4 in S1, t3, t4 teach b1..b4 in S2."""
    roster = Roster().school("S1").school("S2")
    for school, teachers, pupils in (("S1", ("t1", "t2"), "a"), ("S2", ("t3", "t4"), "b")):
        for number, teacher in enumerate(teachers, 1):
            roster.teacher(teacher, school)
            ids = [f"{pupils}{number * 2 - 1}", f"{pupils}{number * 2}"]
            for source_id in ids:
                roster.student(source_id, school)
            roster.class_(f"c-{teacher}", school, teacher, ids)
    return roster
