"""A roster in memory as a source, and one district's portal to sync it into: for the tests of Reset, Undo and rules."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg2.extensions import connection as Connection

from roster_sync.config.districts import District, SourceSettings
from roster_sync.core.limits import Limits
from roster_sync.core.vocabulary import COLLECTIONS
from roster_sync.engine import apply, holds, runs, undo
from roster_sync.engine.planning import plan
from roster_sync.feed import staging
from roster_sync.sources.base import CollectionReport, FeedReport, ProbeReport, Sink

UNDO_MAY_CHANGE = ("updated_at", "updated_run_id", "row_hash")
"""Columns that may differ after an exact undo (docs/rules.md, R14.6)."""
TABLES = (
    "schools", "users", "user_schools", "classes", "enrollments", "license_assignments", "class_books", "student_books",
)  # fmt: skip
Row = dict[str, str]


@dataclass
class Roster:
    """What a district shares, as rows of text per collection; each method returns the roster, to chain calls."""

    issuer: str = "memory:one"
    orgs: dict[str, Row] = field(default_factory=dict)
    users: dict[str, Row] = field(default_factory=dict)
    classes: dict[str, Row] = field(default_factory=dict)
    enrollments: dict[tuple[str, str, str], Row] = field(default_factory=dict)

    def school(self, source_id: str, **columns: str) -> Roster:
        """Shares a school."""
        row = {"source_id": source_id, "status": "active", "name": f"School {source_id}", "type": "school"}
        self.orgs[source_id] = row | columns
        return self

    def person(self, source_id: str, role: str, *schools: str, **columns: str) -> Roster:
        """Shares a person whom these schools list."""
        row = {
            "source_id": source_id, "status": "active", "role": role, "org_source_ids": ",".join(schools),
            "given_name": f"Given {source_id}", "family_name": f"Family {source_id}",
            "email": f"{source_id}@district.example", "is_enabled": "true",
        }  # fmt: skip
        self.users[source_id] = row | columns
        return self

    def teacher(self, source_id: str, *schools: str, **columns: str) -> Roster:
        """Shares a teacher."""
        return self.person(source_id, "teacher", *schools, **columns)

    def student(self, source_id: str, *schools: str, **columns: str) -> Roster:
        """Shares a student."""
        return self.person(source_id, "student", *schools, grades="07", **columns)

    def course(self, source_id: str, school: str, teachers: str = "", students: str = "", **columns: str) -> Roster:
        """Shares a class with its people, each named in a blank-separated list."""
        row = {"source_id": source_id, "status": "active", "title": f"Class {source_id}", "school_source_id": school}
        self.classes[source_id] = row | columns
        for role, people in (("teacher", teachers), ("student", students)):
            for person in people.split():
                self.enroll(source_id, person, role)
        return self

    def enroll(self, class_id: str, user_id: str, role: str, **columns: str) -> Roster:
        """Puts a person into a class."""
        row = {
            "source_id": f"{class_id}.{user_id}.{role}", "status": "active", "class_source_id": class_id,
            "user_source_id": user_id, "role": role,
        }  # fmt: skip
        self.enrollments[class_id, user_id, role] = row | columns
        return self

    def without(self, *source_ids: str) -> Roster:
        """No longer shares these schools, people or classes, nor what hangs on them; returns a new roster."""
        gone, left = set(source_ids), copy.deepcopy(self)
        for rows in (left.orgs, left.users, left.classes):
            for source_id in gone & set(rows):
                del rows[source_id]
        for source_id in [key for key, row in left.classes.items() if row["school_source_id"] in gone]:
            del left.classes[source_id]
            gone.add(source_id)
        for user in left.users.values():
            schools = [school for school in user["org_source_ids"].split(",") if school not in gone]
            user["org_source_ids"] = ",".join(schools)
        left.enrollments = {key: row for key, row in left.enrollments.items() if not gone & {key[0], key[1]}}
        return left

    def but(self, collection: str, key: Any, **columns: str) -> Roster:
        """The same roster with some columns of one row otherwise; returns a new roster."""
        other = copy.deepcopy(self)
        getattr(other, collection)[key] |= columns
        return other

    def copy(self) -> Roster:
        """A roster of its own with the same rows."""
        return copy.deepcopy(self)


@dataclass
class MemorySource:
    """A Roster as a source (sources.base.Source) that can be asked for single records (Askable)."""

    roster: Roster
    incomplete: dict[str, str] = field(default_factory=dict)
    """Collections that do not come whole, with the reason."""
    unshared: tuple[str, ...] = ()
    """Collections that are not shared at all."""
    adds_only: str = ""
    live: dict[tuple[str, str], bool | None] = field(default_factory=dict)
    """What the source answers when it is asked for a record that is not in the roster; False where nothing is said."""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def probe(self) -> ProbeReport:
        """Always ready."""
        return ProbeReport(issuer=self.roster.issuer)

    def fetch(self, sink: Sink) -> FeedReport:
        """Streams the roster."""
        report = FeedReport(issuer=self.roster.issuer, adds_only=self.adds_only)
        for name in ("orgs", "classes", "users", "enrollments"):
            if name in self.unshared:
                continue
            rows = list(getattr(self.roster, name).values())
            columns = COLLECTIONS[name]
            taken = sink.copy_rows(name, columns, ([row.get(column) for column in columns] for row in rows))
            reason = self.incomplete.get(name, "")
            report.collections[name] = CollectionReport(taken, len(rows), not reason, reason)
        return report

    def is_live(self, collection: str, source_id: str) -> bool | None:
        """Whether a single record is still there."""
        self.asked.append((collection, source_id))
        return source_id in getattr(self.roster, collection) or self.live.get((collection, source_id), False)


@dataclass
class Portal:
    """One district in a portal database, and everything that can be done to it."""

    app: Connection
    owner: Connection
    key: str = "harbor"
    limits: Limits = field(default_factory=Limits)
    roles: tuple[str, ...] = ("teacher", "student")
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    run: int = 0
    """The newest run."""

    @property
    def district(self) -> District:
        """Its entry in the registry."""
        return District(
            key=self.key, name=f"{self.key.title()} District", timezone="America/Chicago",
            source=SourceSettings(kind="oneroster_csv", path="memory"), schedule="15 2 * * *",
            roles=self.roles, limits=self.limits,
        )  # fmt: skip

    def rows(self, text: str, **params: Any) -> list[tuple[Any, ...]]:
        """Runs a statement as the owner; %(d)s is the district's id."""
        with self.owner.cursor() as cursor:
            cursor.execute("select id from portal.districts where key = %s", (self.key,))
            found = cursor.fetchone()
            cursor.execute(text, {"d": found[0] if found else None} | params)
            return list(cursor.fetchall()) if cursor.description else []

    def one(self, text: str, **params: Any) -> Any:
        """The first value of the first row; None where there is none."""
        found = self.rows(text, **params)
        return found[0][0] if found else None

    def id_of(self, table: str, source_id: str) -> Any:
        """The portal's own key of the row that has this source id now."""
        text = f"select id from portal.{table} where district_id = %(d)s and source_id = %(s)s"  # noqa: S608
        return self.one(text, s=source_id)

    def begin(self, mode: str, *, reason: str | None = None, **parameters: Any) -> int:
        """Opens a run; whatever was at work before counts as dead."""
        number = f"{self.key}_{next(self.numbers)}"
        request = runs.RunRequest(
            mode=mode, trigger="manual", started_by="Pat Planner", reason=reason,
            airflow_dag_id=f"roster_{mode}", airflow_run_id=number, parameters=parameters,
        )  # fmt: skip
        self.run = runs.begin(self.app, self.district, request, is_alive=lambda dag, run: False)
        return self.run

    def load_and_plan(self, source: Roster | MemorySource) -> str:
        """Reads and plans the newest run; returns the decision."""
        found = source if isinstance(source, MemorySource) else MemorySource(source)
        staging.load(self.app, self.run, self.district, found)
        return plan.make(self.app, self.run, self.district, found)

    def write(self) -> str:
        """Applies the newest run; returns its status."""
        return apply.apply(self.app, self.run, self.district)

    def go_on(self, source: Roster | MemorySource) -> str:
        """Reads, plans and writes what may be written; returns the run's status."""
        decision = self.load_and_plan(source)
        is_open = runs.status_of(self.app, self.run) == "in_progress"
        return self.write() if decision == "apply" or is_open else decision

    def edit(self, source: Roster | MemorySource, **parameters: Any) -> str:
        """A whole Edit."""
        self.begin("edit", **parameters)
        return self.go_on(source)

    def reset(self, source: Roster | MemorySource, **parameters: Any) -> str:
        """A whole Reset; without a limit unless one is given."""
        self.begin("reset", **({"max_deleted_percent": 100} | parameters))
        return self.go_on(source)

    def ask_to_reset(self, source: Roster | MemorySource, **parameters: Any) -> str:
        """A whole Reset under the district's limits."""
        self.begin("reset", **parameters)
        return self.go_on(source)

    def answer(self, answer: str = "approved", by: str | None = "Ada Approver", reason: str | None = None) -> bool:
        """Answers the newest run's question."""
        return holds.record_answer(self.app, self.run, answer, by, reason)

    def reopen(self) -> str:
        """Takes the newest run up again, as roster_approve does."""
        return runs.reopen(self.app, self.district, self.run, "roster_approve", f"{self.key}_{next(self.numbers)}")

    def go_on_after_approval(self, source: Roster | MemorySource) -> str:
        """What roster_approve does after the answer: an Edit goes on with what it staged, a Reset reads again."""
        if self.reopen() == "reset":
            return self.go_on(source)
        decision = plan.make(self.app, self.run, self.district, None)
        return self.write() if decision == "apply" else decision

    def undo(self, target: int | None = None, *, preview_only: bool = False) -> str:
        """A whole Undo of that run, or of the newest that can be undone."""
        chosen = undo.choose(self.app, self.district, target)
        run_id = self.begin("undo", preview_only=preview_only)
        return undo.undo(self.app, run_id, self.district, chosen, preview_only=preview_only)

    def status(self, run_id: int | None = None) -> str:
        """A run's status."""
        return runs.status_of(self.app, run_id or self.run)

    def message(self, run_id: int | None = None) -> str:
        """What a run says of itself."""
        return str(self.one("select message from sync.runs where id = %(r)s", r=run_id or self.run))

    def plan_of(self, run_id: int | None = None) -> dict[str, Any]:
        """What a run's plan says."""
        found: dict[str, Any] = self.one("select plan from sync.runs where id = %(r)s", r=run_id or self.run)
        return found

    def select_schools(self, *source_ids: str) -> None:
        """Selects these schools and no other."""
        self.rows("update sync.settings set school_mode = 'listed' where district_id = %(d)s")
        self.rows("update sync.school_selection set is_selected = source_id = any(%(s)s) where district_id = %(d)s",
                  s=list(source_ids))  # fmt: skip

    def product(self) -> int:
        """The id of the one product."""
        self.rows("insert into portal.products (code, title) values ('math', 'Math') on conflict do nothing")
        return int(self.one("select id from portal.products where code = 'math'"))

    def book(self) -> int:
        """The id of the one book."""
        self.rows("insert into portal.books (code, title) values ('algebra', 'Algebra') on conflict do nothing")
        return int(self.one("select id from portal.books where code = 'algebra'"))

    def license(self, *, user: str | None = None, school: str | None = None) -> int:
        """Gives a person or a school a license; returns its id."""
        return int(self.one(
            "insert into portal.license_assignments"
            " (district_id, product_id, user_id, school_id, assigned_by, expires_on)"
            " values (%(d)s, %(p)s, %(u)s, %(s)s, 'Lee Licenser', '2099-06-30') returning id",
            p=self.product(), u=self.id_of("users", user) if user else None,
            s=self.id_of("schools", school) if school else None,
        ))  # fmt: skip

    def give_book(self, class_id: str, *students: str) -> None:
        """Gives a class the book, and these students theirs of it."""
        params = {"c": self.id_of("classes", class_id), "b": self.book()}
        self.rows("insert into portal.class_books values (%(c)s, %(b)s) on conflict do nothing", **params)
        for student in students:
            self.rows("insert into portal.student_books values (%(u)s, %(c)s, %(b)s)",
                      u=self.id_of("users", student), **params)  # fmt: skip

    def add_by_hand(self, role: str, *schools: str, **columns: Any) -> int:
        """A person made in the portal, standing in these schools."""
        values = {"given_name": "Mina", "family_name": "Manual", "email": f"{role}.by.hand@portal.example"} | columns
        user_id = int(self.one(
            "insert into portal.users (district_id, role, given_name, family_name, email, sis_id, source_id)"
            " values (%(d)s, %(role)s, %(given_name)s, %(family_name)s, %(email)s, %(sis_id)s, %(source_id)s)"
            " returning id",
            role=role, **({"sis_id": None, "source_id": None} | values),
        ))  # fmt: skip
        for school in schools:
            self.join(user_id, self.id_of("schools", school))
        return user_id

    def join(self, user_id: int, school_id: int) -> None:
        """Puts a person into a school by hand."""
        self.rows("insert into portal.user_schools (user_id, school_id) values (%(u)s, %(s)s)", u=user_id, s=school_id)

    def class_by_hand(self, school: str, title: str = "Chess club") -> int:
        """A class made in the portal."""
        return int(self.one(
            "insert into portal.classes (district_id, school_id, title) values (%(d)s, %(s)s, %(t)s) returning id",
            s=self.id_of("schools", school), t=title,
        ))  # fmt: skip

    def enroll_by_hand(self, class_id: int, user_id: int, role: str) -> None:
        """An enrollment made in the portal."""
        self.rows("insert into portal.enrollments (district_id, class_id, user_id, role)"
                  " values (%(d)s, %(c)s, %(u)s, %(r)s)",
                  c=class_id, u=user_id, r=role)  # fmt: skip

    def snapshot(self, without: Sequence[str] = UNDO_MAY_CHANGE) -> dict[str, list[str]]:
        """Every row of the portal's tables, all districts together, but for those columns."""
        return {
            table: sorted(
                json.dumps(row, sort_keys=True)
                for (row,) in self.rows(
                    f"select to_jsonb(t) - %(w)s::text[] from portal.{table} t",  # noqa: S608
                    w=list(without),
                )
            )
            for table in TABLES
        }

    def versions(self) -> dict[str, list[Any]]:
        """The xmin of every row: the same as long as nobody writes it."""
        return {
            table: sorted(self.rows(f"select ctid::text, xmin::text from portal.{table}"))  # noqa: S608
            for table in TABLES
        }
