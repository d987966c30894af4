"""One read of everything that a Clever district shares: which lists, in which threads, which people came."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeVar
from urllib.parse import quote

from roster_sync.sources.base import CollectionReport
from roster_sync.sources.clever import mapping as mapping
from roster_sync.sources.clever.api import CleverApi, ListRead
from roster_sync.sources.clever.mapping import Record, Row
from roster_sync.sources.http.json_text import as_text

Item = TypeVar("Item")

_BATCH: Final = 2_000


@dataclass(frozen=True)
class Batch:
    """Rows on their way to the sink."""

    collection: str
    rows: Sequence[Row]


@dataclass
class _List:
    """One list of the API as it was read."""

    collection: str
    path: str
    params: dict[str, str] = field(default_factory=dict)
    read: ListRead = field(default_factory=ListRead)
    expected: int | None = None


class Reading:
    """One read: gives the jobs that read its lists, and then reports what came of them."""

    def __init__(self, api: CleverApi) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._school_ids: list[str] = []
        self._schools_known: frozenset[str] = frozenset()
        self._lists: list[_List] = []
        self._enrollments = 0

    # -- which lists --------------------------------------------------------------------------------------------------

    def schools(self) -> Iterator[Batch]:
        """The schools, which are read first."""
        listed = self._add("orgs", "/schools")
        for records in batches(self._records(listed)):
            self._school_ids += [text for record in records if (text := as_text(record.get("id")))]
            yield Batch("orgs", [mapping.school_row(record) for record in records])
        self._schools_known = frozenset(self._school_ids)

    def by_district(self) -> list[Callable[[], Iterable[Batch]]]:
        """Whole lists, the longest first."""
        return [
            self._people("student"), self._sections(), self._people("teacher"), self._people("staff"),
            self._values("courses", mapping.course_row), self._values("terms", mapping.term_row),
            self._people("district_admin"),
        ]  # fmt: skip

    def by_schools(self) -> list[Callable[[], Iterable[Batch]]]:
        """Students, teachers and sections school by school; people who may be outside of schools as whole lists."""
        students, teachers, sections = (
            self._add("users", "/users", role="student"), self._add("users", "/users", role="teacher"),
            self._add("classes", "/sections"),
        )  # fmt: skip
        jobs: list[Callable[[], Iterable[Batch]]] = [self._counting(students, teachers, sections)]
        for school in self._school_ids:
            path = f"/schools/{quote(school, safe='')}"
            jobs += [
                self._people("student", students, f"{path}/users", school),
                self._sections(sections, f"{path}/sections"),
                self._people("teacher", teachers, f"{path}/users", school),
            ]  # fmt: skip
        return [
            *jobs, self._people("staff"), self._values("courses", mapping.course_row),
            self._values("terms", mapping.term_row), self._people("district_admin"),
        ]  # fmt: skip

    def _add(self, collection: str, path: str, **params: str) -> _List:
        listed = _List(collection, path, params)
        self._lists.append(listed)
        return listed

    # -- jobs ---------------------------------------------------------------------------------------------------------

    def _records(self, listed: _List, path: str = "") -> Generator[dict[str, Any], None, None]:
        """A list's records; a whole list is counted by the source first."""
        if not path:
            listed.expected = self._api.count(listed.path, **listed.params)
            yield from self._api.records(listed.path, listed.read, **listed.params)
            return
        part = ListRead()
        yield from self._api.records(path, part, **listed.params)
        with self._lock:
            listed.read.pages += part.pages
            listed.read.problem = listed.read.problem or part.problem

    def _counting(self, *lists: _List) -> Callable[[], Iterable[Batch]]:
        def read() -> Iterator[Batch]:
            for listed in lists:
                listed.expected = self._api.count(listed.path, **listed.params)
            yield from ()

        return read

    def _values(self, name: str, row: Callable[[Record], Row]) -> Callable[[], Iterable[Batch]]:
        listed = self._add(name, f"/{name}")

        def read() -> Iterator[Batch]:
            for records in batches(self._records(listed)):
                yield Batch(name, [row(record) for record in records])

        return read

    def _people(
        self, role: str, listed: _List | None = None, path: str = "", school: str = ""
    ) -> Callable[[], Iterable[Batch]]:
        whole = listed or self._add("users", "/users", role=role)

        def read() -> Iterator[Batch]:
            for records in batches(self._records(whole, path)):
                mine = [record for record in records if not school or self._is_home(record, role, school)]
                if school:
                    with self._lock:
                        whole.read.received += len(mine)
                rows = [mapping.user_row(record, role) for record in mine if self._is_first(record, role)]
                yield Batch("users", rows)

        return read

    def _sections(self, listed: _List | None = None, path: str = "") -> Callable[[], Iterable[Batch]]:
        whole = listed or self._add("classes", "/sections")

        def read() -> Iterator[Batch]:
            for records in batches(self._records(whole, path), size=500):
                if path:
                    with self._lock:
                        whole.read.received += len(records)
                yield Batch("classes", [mapping.class_row(record) for record in records])
                rows = [row for record in records for row in mapping.enrollment_rows(record)]
                with self._lock:
                    self._enrollments += len(rows)
                yield Batch("enrollments", rows)

        return read

    # -- people seen -------------------------------------------------------------------------------------------------

    def _is_first(self, record: Record, role: str) -> bool:
        """Whether a person has not come yet. Only people with several roles come in several lists."""
        if mapping.roles_of(record) == (role,):
            return True
        return self._is_new(as_text(record.get("id")))

    def _is_home(self, record: Record, role: str, school: str) -> bool:
        """Whether a person, who comes once with each school, is taken with this one.

        It is the first of theirs that is shared: that needs no memory of everyone. Who names none of the schools is
        remembered.
        """
        home = next((known for known in mapping.schools_of(record, role) if known in self._schools_known), None)
        if home is not None:
            return home == school
        source_id = as_text(record.get("id"))
        return self._is_new(f"{role} {source_id}" if source_id else None)

    def _is_new(self, mark: str | None) -> bool:
        """Whether a mark was not seen before; what has no id equals nothing, so it is always new."""
        if not mark:
            return True
        with self._lock:
            is_new = mark not in self._seen
            self._seen.add(mark)
        return is_new

    # -- what came of it ----------------------------------------------------------------------------------------------

    def report(self) -> dict[str, CollectionReport]:
        """Per collection what was received, and whether the source's own counts agree."""
        self._forget_totals_without_roles()
        found: dict[str, CollectionReport] = {}
        for listed in self._lists:
            one = found.setdefault(listed.collection, CollectionReport(0, 0, True))
            one.received += listed.read.received
            one.expected = (
                None if None in (one.expected, listed.expected) else (one.expected or 0) + (listed.expected or 0)
            )
            problem = listed.read.problem
            if listed.expected is not None and listed.expected != listed.read.received:
                problem = f"Clever says that it has {listed.expected} records and gave {listed.read.received}."
            if problem and one.is_complete:
                one.is_complete, one.reason = False, problem
        classes = found["classes"]
        found["enrollments"] = CollectionReport(self._enrollments, None, classes.is_complete, classes.reason)
        return found

    def _forget_totals_without_roles(self) -> None:
        """A total that is the same for every role counts all people, and says nothing of one role's list."""
        people = [listed for listed in self._lists if listed.collection == "users"]
        if len({listed.expected for listed in people}) == 1:
            for listed in people:
                listed.expected = None


def batches(records: Iterable[Item], size: int = _BATCH) -> Iterator[list[Item]]:
    """Records in small lists: a page is never held as objects as a whole."""
    left = iter(records)
    while batch := list(islice(left, size)):
        yield batch
