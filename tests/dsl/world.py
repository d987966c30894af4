"""A district in a portal database, in the words of the rules: run this roster, who is shared, who is in which class."""

# ruff: noqa: S608  (names of our own tables)
from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import RealDictCursor

from roster_sync.config.districts import District, SourceSettings
from roster_sync.core.errors import RosterError, SyncRefused
from roster_sync.core.limits import Limits
from roster_sync.engine import apply, holds, runs, undo
from roster_sync.engine.planning import plan
from roster_sync.feed import staging
from roster_sync.sources.base import Source
from roster_sync.sources.oneroster_csv.source import OneRosterCsv
from tests.dsl.csv_files import write_zip
from tests.dsl.database import Database
from tests.dsl.roster import MemorySource, Roster

NO_LIMITS = Limits(100, 100, 100, 5)
TABLES = (
    "schools", "users", "user_schools", "classes", "enrollments", "license_assignments", "class_books", "student_books",
)  # fmt: skip
UNDO_MAY_CHANGE = ("updated_at", "updated_run_id", "row_hash")
"""Columns that may differ after an exact undo (docs/rules.md, R14.6)."""
Feed = Roster | Source | Mapping[str, str]
"""What a run reads: a roster, a source, or OneRoster CSV files by name."""


@dataclass(frozen=True)
class Ran:
    """What a run came to."""

    id: int
    status: str
    message: str


@dataclass
class World:
    """A district, its portal database, and two connections to it: the DAGs' login and the owner."""

    database: Database
    app: Connection
    owner: Connection
    folder: Path = Path()
    """Where CSV files may be written."""
    district: District = field(default_factory=lambda: District(
        key="brook", name="Brook District", timezone="America/Chicago", schedule="15 2 * * *",
        source=SourceSettings(kind="oneroster_csv", path="brook.zip"),
    ))  # fmt: skip
    run_id: int = 0
    """The newest run."""
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def registry(self, **values: Any) -> World:
        """Changes the registry entry: roles, limits, source, timezone."""
        self.district = replace(self.district, **values)
        return self

    def elsewhere(self, key: str) -> World:
        """The same database, seen from another district."""
        return replace(self, district=replace(self.district, key=key, name=f"{key.title()} District"), run_id=0)

    # -- runs, as the DAGs drive them ------------------------------------------------------------------------------

    def begin(
        self, mode: str = "edit", trigger: str = "manual", *, reason: str | None = None,
        airflow_run_id: str | None = None, is_alive: Callable[[str, str], bool | None] = lambda *_: False,
        **parameters: Any,
    ) -> int:  # fmt: skip
        """Opens a run; whatever was at work before counts as dead."""
        request = runs.RunRequest(
            mode=mode, trigger=trigger, started_by="Pat Planner", reason=reason, parameters=parameters,
            airflow_dag_id=f"roster_sync__{self.district.key}",
            airflow_run_id=airflow_run_id or f"run-{self.district.key}-{next(self._numbers)}",
        )  # fmt: skip
        self.run_id = runs.begin(self.app, self.district, request, is_alive=is_alive)
        return self.run_id

    def run(self, feed: Feed, **more: Any) -> Ran:
        """A whole run, as the DAG's tasks do it: an error ends it."""
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

    def _source(self, feed: Feed) -> Source:
        if isinstance(feed, Roster):
            return MemorySource(feed)
        if isinstance(feed, Mapping):
            path = write_zip(self.folder / f"feed{next(self._numbers)}.zip", feed)
            return OneRosterCsv(SourceSettings(kind="oneroster_csv", path=str(path)), None, self.district.key)
        return feed

    def answer(
        self, answer: str = "approved", by: str | None = "Ada Approver", reason: str | None = None, *, run: int = 0
    ) -> bool:
        """Answers the question of a run, the newest unless another is named."""
        return holds.record_answer(self.app, run or self.run_id, answer, by, reason)

    def approve(self, run_id: int) -> Ran:
        """A person says yes, and roster_approve goes on with the run."""
        assert self.answer(run=run_id)
        return self.carry_out(run_id)

    def carry_out(self, run_id: int) -> Ran:
        self.reopen(run_id)
        return self.go_on(run_id, None)

    def reopen(self, run_id: int = 0) -> str:
        """Takes a run up again, as roster_approve does; returns its mode."""
        number = f"approve-{self.district.key}-{next(self._numbers)}"
        return runs.reopen(self.app, self.district, run_id or self.run_id, "roster_approve", number)

    # -- runs whose errors the test sees; each returns the run's status -------------------------------------------

    def edit(self, source: Roster | MemorySource, **parameters: Any) -> str:
        """A whole Edit."""
        self.begin("edit", **parameters)
        return self.load_and_write(source)

    def reset(self, source: Roster | MemorySource, **parameters: Any) -> str:
        """A whole Reset; without a limit unless one is given."""
        return self.ask_to_reset(source, **({"max_deleted_percent": 100} | parameters))

    def ask_to_reset(self, source: Roster | MemorySource, **parameters: Any) -> str:
        """A whole Reset under the district's limits."""
        self.begin("reset", **parameters)
        return self.load_and_write(source)

    def undo(self, target: int | None = None, *, preview_only: bool = False) -> str:
        """A whole Undo of that run, or of the newest that can be undone."""
        chosen = undo.choose(self.app, self.district, target)
        run_id = self.begin("undo", preview_only=preview_only)
        return undo.undo(self.app, run_id, self.district, chosen, preview_only=preview_only)

    def load_and_write(self, source: Roster | MemorySource) -> str:
        """Reads and plans the newest run, and writes what may be written."""
        decision = self.load_and_plan(source)
        is_open = self.status() == "in_progress"
        return self.write() if decision == "apply" or is_open else decision

    def load_and_plan(self, source: Roster | MemorySource) -> str:
        """Reads and plans the newest run; returns the decision."""
        found = source if isinstance(source, MemorySource) else MemorySource(source)
        staging.load(self.app, self.run_id, self.district, found)
        return plan.make(self.app, self.run_id, self.district, found)

    def write(self) -> str:
        """Applies the newest run."""
        return apply.apply(self.app, self.run_id, self.district)

    def go_on_after_approval(self, source: Roster | MemorySource) -> str:
        """What roster_approve does after the answer: an Edit goes on with what it staged, a Reset reads again."""
        if self.reopen() == "reset":
            return self.load_and_write(source)
        decision = plan.make(self.app, self.run_id, self.district, None)
        return self.write() if decision == "apply" else decision

    def status(self, run_id: int = 0) -> str:
        return runs.status_of(self.app, run_id or self.run_id)

    def message(self, run_id: int = 0) -> str:
        return str(self.value("select message from sync.runs where id = %s", run_id or self.run_id))

    # -- statements: values by position (%s) or by name; %(d)s is the id of the district -----------------------------

    def do(self, statement: str, *values: Any, **named: Any) -> None:
        """What people, or the portal's own application, do by hand."""
        with self.owner.cursor() as cursor:
            cursor.execute(statement, self._bound(statement, values, named))

    def tuples(self, query: str, *values: Any, **named: Any) -> list[tuple[Any, ...]]:
        with self.owner.cursor() as cursor:
            cursor.execute(query, self._bound(query, values, named))
            return list(cursor.fetchall())

    def rows(self, query: str, *values: Any, **named: Any) -> list[dict[str, Any]]:
        with self.owner.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(query, self._bound(query, values, named))
            return [dict(row) for row in cursor.fetchall()]

    def row(self, query: str, *values: Any, **named: Any) -> dict[str, Any]:
        """The one row."""
        found = self.rows(query, *values, **named)
        assert len(found) == 1, f"{len(found)} rows for {query}"
        return found[0]

    def value(self, query: str, *values: Any, **named: Any) -> Any:
        """The first column of the one row."""
        return next(iter(self.row(query, *values, **named).values()))

    def _bound(self, text: str, values: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if "%(d)s" in text:
            named = {"d": self._id_of_district()} | named
        return values or named or None

    def _id_of_district(self) -> Any:
        with self.owner.cursor() as cursor:
            cursor.execute("select id from portal.districts where key = %s", (self.district.key,))
            return next(iter(cursor.fetchone() or [None]))

    @property
    def district_id(self) -> int:
        return int(self._id_of_district())

    # -- what came of it ------------------------------------------------------------------------------------------

    def ran(self, run_id: int) -> Ran:
        row = self.row("select id, status, coalesce(message, '') as message from sync.runs where id = %s", run_id)
        return Ran(**row)

    def ids(self, table: str, where: str = "true") -> set[str]:
        """The source ids of this district's rows of a table."""
        found = self.tuples(f"select source_id from portal.{table} where district_id = %(d)s and {where}")
        return {source_id for (source_id,) in found}

    def id_of(self, table: str, source_id: str) -> Any:
        """The portal's own id of the row that has this source id now, if any."""
        query = f"select id from portal.{table} where district_id = %(d)s and source_id = %(s)s"
        return next((row_id for (row_id,) in self.tuples(query, s=source_id)), None)

    def shared(self, table: str) -> set[str]:
        return self.ids(table, "is_shared")

    def unshared(self, table: str) -> set[str]:
        return self.ids(table, "not is_shared")

    def school(self, source_id: str) -> dict[str, Any]:
        return self._one("schools", source_id)

    def person(self, source_id: str) -> dict[str, Any]:
        return self._one("users", source_id)

    def class_(self, source_id: str) -> dict[str, Any]:
        return self._one("classes", source_id)

    def _one(self, table: str, source_id: str) -> dict[str, Any]:
        return self.row(f"select * from portal.{table} where district_id = %(d)s and source_id = %(s)s", s=source_id)

    def enrolled(self, class_id: str) -> dict[str, bool]:
        """Who is in a class: source id -> whether active."""
        return dict(self.tuples(
            "select u.source_id, e.is_active from portal.enrollments e join portal.users u on u.id = e.user_id"
            " join portal.classes c on c.id = e.class_id where c.district_id = %(d)s and c.source_id = %(c)s",
            c=class_id,
        ))  # fmt: skip

    def enrollment(self, class_id: str, user: str) -> dict[str, Any]:
        return self.row(
            "select e.* from portal.enrollments e join portal.users u on u.id = e.user_id"
            " join portal.classes c on c.id = e.class_id"
            " where c.district_id = %(d)s and c.source_id = %(c)s and u.source_id = %(u)s",
            c=class_id, u=user,
        )  # fmt: skip

    def schools_of(self, user: str) -> dict[str, bool]:
        """The schools of a person: source id -> whether active."""
        return dict(self.tuples(
            "select s.source_id, us.is_active from portal.user_schools us join portal.users u on u.id = us.user_id"
            " join portal.schools s on s.id = us.school_id where u.district_id = %(d)s and u.source_id = %(u)s",
            u=user,
        ))  # fmt: skip

    def findings(self, run: Ran, rule: str | None = None) -> list[dict[str, Any]]:
        found = self.rows("select * from sync.findings where run_id = %s order by id", run.id)
        return [row for row in found if rule in (None, row["rule"])]

    def counts(self, run: Ran, entity: str) -> dict[str, int]:
        row = self.row("select * from sync.run_counts where run_id = %s and entity = %s", run.id, entity)
        return {name: count for name, count in row.items() if name not in ("run_id", "entity") and count}

    def plan_of(self, run_id: int = 0) -> dict[str, Any]:
        """The summary of a run's plan."""
        return dict(self.value("select plan from sync.runs where id = %s", run_id or self.run_id))

    def breaches(self, run: Ran) -> set[tuple[str, str]]:
        return {(breach["kind"], breach["what"]) for breach in self.plan_of(run.id)["breaches"]}

    def worklist(self, kind: str) -> list[dict[str, Any]]:
        query = "select * from sync.worklist where district_id = %(d)s and kind = %(k)s and resolved_at is null"
        return self.rows(query, k=kind)

    def reviews(self) -> set[tuple[int, int]]:
        """Open match reviews: (the new row, the candidate)."""
        return {(row["subject_id"], row["second_subject_id"]) for row in self.worklist("match_review")}

    def versions(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every portal row with its xmin: equal before and after means that nothing was written."""
        return {table: self.tuples(f"select t.xmin::text, t::text from portal.{table} t order by 2, 1")
                for table in TABLES}  # fmt: skip

    def snapshot(self, without: Sequence[str] = UNDO_MAY_CHANGE) -> dict[str, list[str]]:
        """Every row of the portal's tables, all districts together, but for those columns."""
        query = "select to_jsonb(t) - %(w)s::text[] from portal.{} t"
        return {table: sorted(json.dumps(row, sort_keys=True)
                              for (row,) in self.tuples(query.format(table), w=list(without)))
                for table in TABLES}  # fmt: skip

    # -- what people do in the portal -----------------------------------------------------------------------------

    def select_schools(self, *source_ids: str) -> None:
        """'These schools' instead of 'all schools, also new ones'."""
        self.do("update sync.settings set school_mode = 'listed', updated_at = now() where district_id = %(d)s")
        self.do("update sync.school_selection set is_selected = source_id = any (%(s)s) where district_id = %(d)s",
                s=list(source_ids))  # fmt: skip

    def product(self) -> int:
        """The id of the one product."""
        self.do("insert into portal.products (code, title) values ('math', 'Math') on conflict do nothing")
        return int(self.value("select id from portal.products where code = 'math'"))

    def book(self) -> int:
        """The id of the one book."""
        self.do("insert into portal.books (code, title) values ('algebra', 'Algebra') on conflict do nothing")
        return int(self.value("select id from portal.books where code = 'algebra'"))

    def license(self, *, user: str | None = None, school: str | None = None) -> int:
        """Gives a person or a school a license; returns its id."""
        return int(self.value(
            "insert into portal.license_assignments"
            " (district_id, product_id, user_id, school_id, assigned_by, expires_on)"
            " values (%(d)s, %(p)s, %(u)s, %(s)s, 'Lee Licenser', '2099-06-30') returning id",
            p=self.product(), u=self.person(user)["id"] if user else None,
            s=self.school(school)["id"] if school else None,
        ))  # fmt: skip

    def give_book(self, class_id: str, *students: str) -> None:
        """Gives a class the book, and these students theirs of it."""
        named = {"c": self.class_(class_id)["id"], "b": self.book()}
        self.do("insert into portal.class_books values (%(c)s, %(b)s) on conflict do nothing", **named)
        for student in students:
            self.do("insert into portal.student_books values (%(u)s, %(c)s, %(b)s)",
                    u=self.person(student)["id"], **named)  # fmt: skip

    def add_by_hand(self, role: str, *schools: str, **columns: Any) -> int:
        """A person made in the portal, in these schools; returns the id."""
        values = {"given_name": "Mina", "family_name": "Manual", "email": f"{role}.by.hand@portal.example"} | columns
        user_id = int(self.value(
            "insert into portal.users (district_id, role, given_name, family_name, email, sis_id, source_id)"
            " values (%(d)s, %(role)s, %(given_name)s, %(family_name)s, %(email)s, %(sis_id)s, %(source_id)s)"
            " returning id",
            role=role, **({"sis_id": None, "source_id": None} | values),
        ))  # fmt: skip
        for school in schools:
            self.join(user_id, self.school(school)["id"])
        return user_id

    def join(self, user_id: int, school_id: int) -> None:
        """Puts a person into a school by hand."""
        self.do("insert into portal.user_schools (user_id, school_id) values (%s, %s)", user_id, school_id)

    def class_by_hand(self, school: str, title: str = "Chess club") -> int:
        """A class made in the portal; returns its id."""
        return int(self.value(
            "insert into portal.classes (district_id, school_id, title) values (%(d)s, %(s)s, %(t)s) returning id",
            s=self.school(school)["id"], t=title,
        ))  # fmt: skip

    def enroll_by_hand(self, class_id: int, user_id: int, role: str) -> None:
        """An enrollment made in the portal."""
        self.do("insert into portal.enrollments (district_id, class_id, user_id, role)"
                " values (%(d)s, %(c)s, %(u)s, %(r)s)",
                c=class_id, u=user_id, r=role)  # fmt: skip
