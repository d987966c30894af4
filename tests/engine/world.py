"""One test's portal, with the words in which a rule is told: run this roster, who is shared, who is in which class."""

# ruff: noqa: S608  (names of our own tables)
from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import RealDictCursor

from roster_sync.config.districts import District, SourceSettings
from roster_sync.core.errors import RosterError, SyncRefused
from roster_sync.core.limits import Limits
from roster_sync.engine import apply, holds, runs
from roster_sync.engine.planning import plan
from roster_sync.feed import staging
from roster_sync.sources.base import Source
from roster_sync.sources.oneroster_csv.source import OneRosterCsv
from tests.conftest import Portal
from tests.engine.rosters import MemorySource, Roster, write_zip

NO_LIMITS = Limits(100, 100, 100, 5)
PORTAL_TABLES = ("schools", "users", "user_schools", "classes", "enrollments", "license_assignments", "class_books",
                 "student_books")  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """What a run came to."""

    id: int
    status: str
    message: str


@dataclass
class World:
    """A portal database, a district in it, and two connections: the DAGs' login and the owner."""

    portal: Portal
    app: Connection
    owner: Connection
    folder: Path
    district: District = field(default_factory=lambda: District(
        key="brook", name="Brook District", timezone="America/Chicago", schedule="15 2 * * *",
        source=SourceSettings(kind="oneroster_csv", path="brook.zip"),
    ))  # fmt: skip
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def registry(self, **values: Any) -> World:
        """Changes the registry entry: roles, limits, source, timezone."""
        self.district = replace(self.district, **values)
        return self

    def elsewhere(self, key: str) -> World:
        """The same database, seen from another district."""
        return replace(self, district=replace(self.district, key=key, name=f"District {key}"))

    # -- runs -----------------------------------------------------------------------------------------------------

    def begin(
        self, mode: str = "edit", trigger: str = "manual", *, airflow_run_id: str | None = None,
        is_alive: Callable[[str, str], bool | None] = lambda *_: False, **parameters: Any,
    ) -> int:  # fmt: skip
        request = runs.RunRequest(
            mode=mode, trigger=trigger, started_by="someone", parameters=parameters,
            airflow_dag_id=f"roster_sync__{self.district.key}",
            airflow_run_id=airflow_run_id or f"run-{self.district.key}-{next(self._numbers)}",
        )  # fmt: skip
        return runs.begin(self.app, self.district, request, is_alive=is_alive)

    def run(self, feed: Roster | Source | Mapping[str, str], **more: Any) -> Ran:
        """A whole run from a roster, a source or CSV files, as the DAG's tasks do it."""
        run_id = self.begin(**more)
        return self.go_on(run_id, self._source(feed))

    def go_on(self, run_id: int, source: Source | None) -> Ran:
        """From extract to apply; without a source with what is staged already."""
        try:
            if source is not None:
                staging.load(self.app, run_id, self.district, source)
            plan.make(self.app, run_id, self.district)
            if runs.status_of(self.app, run_id) == "in_progress":
                apply.apply(self.app, run_id, self.district)
        except RosterError as error:
            status = error.status if isinstance(error, SyncRefused) else "failed"
            runs.close(self.app, run_id, status, str(error))
        return self.ran(run_id)

    def _source(self, feed: Roster | Source | Mapping[str, str]) -> Source:
        if isinstance(feed, Roster):
            return MemorySource(feed)
        if isinstance(feed, Mapping):
            path = write_zip(self.folder / f"feed{next(self._numbers)}.zip", feed)
            return OneRosterCsv(SourceSettings(kind="oneroster_csv", path=str(path)), None, self.district.key)
        return feed

    def answer(self, run_id: int, answer: str, answered_by: str | None = "Pat Approver") -> bool:
        return holds.record_answer(self.app, run_id, answer, answered_by, None)

    def approve(self, run_id: int) -> Ran:
        """A person says yes, and roster_approve goes on with the run."""
        assert self.answer(run_id, "approved")
        return self.carry_out(run_id)

    def carry_out(self, run_id: int) -> Ran:
        runs.reopen(self.app, self.district, run_id, "roster_approve", f"approve-{run_id}-{next(self._numbers)}")
        return self.go_on(run_id, None)

    # -- what came of it ------------------------------------------------------------------------------------------

    def ran(self, run_id: int) -> Ran:
        row = self.row("select id, status, coalesce(message, '') as message from sync.runs where id = %s", run_id)
        return Ran(**row)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self.owner.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(query, values or None)
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []

    def row(self, query: str, *values: Any) -> dict[str, Any]:
        found = self.rows(query, *values)
        assert len(found) == 1, f"{len(found)} rows for {query}"
        return found[0]

    def value(self, query: str, *values: Any) -> Any:
        return next(iter(self.row(query, *values).values()))

    def do(self, statement: str, *values: Any) -> None:
        """What people, or the portal's own application, do by hand."""
        with self.owner.cursor() as cursor:
            cursor.execute(statement, values or None)

    @property
    def district_id(self) -> int:
        return int(self.value("select id from portal.districts where key = %s", self.district.key))

    def ids(self, table: str, where: str = "true") -> set[str]:
        """The source ids of this district's rows of a table."""
        found = self.rows(f"select source_id from portal.{table} where district_id = %s and {where}", self.district_id)
        return {row["source_id"] for row in found}

    def shared(self, table: str) -> set[str]:
        return self.ids(table, "is_shared")

    def unshared(self, table: str) -> set[str]:
        return self.ids(table, "not is_shared")

    def school(self, source_id: str) -> dict[str, Any]:
        return self._one("schools", source_id)

    def person(self, source_id: str) -> dict[str, Any]:
        return self._one("users", source_id)

    def klass(self, source_id: str) -> dict[str, Any]:
        return self._one("classes", source_id)

    def _one(self, table: str, source_id: str) -> dict[str, Any]:
        query = f"select * from portal.{table} where district_id = %s and source_id = %s"
        return self.row(query, self.district_id, source_id)

    def enrolled(self, klass: str) -> dict[str, bool]:
        """Who stands in a class: source id -> whether active."""
        found = self.rows(
            "select u.source_id, e.is_active from portal.enrollments e join portal.users u on u.id = e.user_id"
            " join portal.classes c on c.id = e.class_id where c.district_id = %s and c.source_id = %s",
            self.district_id, klass,
        )  # fmt: skip
        return {row["source_id"]: row["is_active"] for row in found}

    def enrollment(self, klass: str, user: str) -> dict[str, Any]:
        return self.row(
            "select e.* from portal.enrollments e join portal.users u on u.id = e.user_id"
            " join portal.classes c on c.id = e.class_id"
            " where c.district_id = %s and c.source_id = %s and u.source_id = %s",
            self.district_id, klass, user,
        )  # fmt: skip

    def schools_of(self, user: str) -> dict[str, bool]:
        """Where a person stands: source id of the school -> whether active."""
        found = self.rows(
            "select s.source_id, us.is_active from portal.user_schools us join portal.users u on u.id = us.user_id"
            " join portal.schools s on s.id = us.school_id where u.district_id = %s and u.source_id = %s",
            self.district_id, user,
        )  # fmt: skip
        return {row["source_id"]: row["is_active"] for row in found}

    def findings(self, run: Ran, rule: str | None = None) -> list[dict[str, Any]]:
        found = self.rows("select * from sync.findings where run_id = %s order by id", run.id)
        return [row for row in found if rule in (None, row["rule"])]

    def counts(self, run: Ran, entity: str) -> dict[str, int]:
        row = self.row("select * from sync.run_counts where run_id = %s and entity = %s", run.id, entity)
        return {name: count for name, count in row.items() if name not in ("run_id", "entity") and count}

    def plan(self, run: Ran) -> dict[str, Any]:
        return dict(self.value("select plan from sync.runs where id = %s", run.id))

    def breaches(self, run: Ran) -> set[tuple[str, str]]:
        return {(breach["kind"], breach["what"]) for breach in self.plan(run)["breaches"]}

    def worklist(self, kind: str) -> list[dict[str, Any]]:
        return self.rows("select * from sync.worklist where district_id = %s and kind = %s and resolved_at is null",
                         self.district_id, kind)  # fmt: skip

    def reviews(self) -> set[tuple[int, int]]:
        """Open match reviews: (the new row, the candidate)."""
        return {(row["subject_id"], row["second_subject_id"]) for row in self.worklist("match_review")}

    def versions(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every portal row with its xmin: equal before and after means that nothing was written."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        for table in PORTAL_TABLES:
            with self.owner.cursor() as cursor:
                cursor.execute(f"select t.xmin::text, t::text from portal.{table} t order by 2, 1")
                found[table] = cursor.fetchall()
        return found

    # -- what people do in the portal -----------------------------------------------------------------------------

    def license(self, *, user: str | None = None, school: str | None = None) -> int:
        """Gives a license; returns its id."""
        self.do("insert into portal.products (code, title) values ('math', 'Mathematics') on conflict do nothing")
        return int(self.value(
            "insert into portal.license_assignments (district_id, product_id, user_id, school_id, assigned_by)"
            " select %s, p.id, %s, %s, 'someone' from portal.products p where code = 'math' returning id",
            self.district_id, self.person(user)["id"] if user else None, self.school(school)["id"] if school else None,
        ))  # fmt: skip

    def books(self, klass: str, *students: str) -> None:
        """Gives a class a book, and some of its students their copies."""
        self.do("insert into portal.books (code, title) values ('b1', 'Book') on conflict do nothing")
        class_id = self.klass(klass)["id"]
        self.do("insert into portal.class_books select %s, id from portal.books", class_id)
        for student in students:
            self.do("insert into portal.student_books select %s, %s, id from portal.books",
                    self.person(student)["id"], class_id)  # fmt: skip

    def select(self, *schools: str) -> None:
        """'These schools' instead of 'all schools, also new ones'."""
        self.do("update sync.settings set school_mode = 'listed', updated_at = now() where district_id = %s",
                self.district_id)  # fmt: skip
        self.do("update sync.school_selection set is_selected = source_id = any (%s) where district_id = %s",
                list(schools), self.district_id)  # fmt: skip
