"""What a portal holds after the runs of a test: plain values without database ids where a source id says it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from roster_sync.notices.mails import Mail
from tests.dsl.world import World

Row = TypeVar("Row")


@dataclass(frozen=True)
class Person:
    """A row of portal.users, with what the row holds."""

    id: int
    source_id: str | None
    role: str
    given_name: str | None
    family_name: str | None
    sis_id: str | None
    state_id: str | None
    email: str | None
    username: str | None
    grade: str | None
    is_shared: bool
    is_enabled: bool
    licenses: int
    books: int
    schools: tuple[str, ...]
    """Source ids of the schools where the person is active."""

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True)
class School:
    """A row of portal.schools."""

    id: int
    source_id: str | None
    name: str | None
    sis_id: str | None
    nces_id: str | None
    state_id: str | None
    is_shared: bool
    licenses: int


@dataclass(frozen=True)
class Class:
    """A row of portal.classes."""

    id: int
    source_id: str | None
    title: str | None
    sis_id: str | None
    school: str | None
    term_name: str | None
    starts_on: date | None
    ends_on: date | None
    is_shared: bool
    books: tuple[str, ...]


@dataclass(frozen=True)
class Enrollment:
    """A row of portal.enrollments, by the source ids of its class and person."""

    class_id: str | None
    person: str | None
    role: str
    is_primary: bool
    is_active: bool
    begins_on: date | None
    ends_on: date | None


@dataclass(frozen=True)
class Item:
    """An open worklist item: whom it is about, by source id and row."""

    kind: str
    subject: str | None
    subject_id: int
    second: str | None
    second_id: int | None


@dataclass(frozen=True)
class Finding:
    """A row of sync.findings."""

    entity: str
    source_id: str | None
    severity: str
    rule: str
    message: str


@dataclass(frozen=True)
class RunEnd:
    """How a run ended, and what it told."""

    id: int
    mode: str
    status: str
    message: str
    is_complete: bool | None
    reasons: dict[str, str]
    """Why a collection proves no absence, of the read and of the checks."""
    breaches: tuple[str, ...]
    counts: dict[str, dict[str, int]]
    findings: tuple[Finding, ...]
    mails: tuple[Mail, ...]

    def of_rule(self, rule: str) -> list[Finding]:
        return [finding for finding in self.findings if finding.rule == rule]

    def told(self, pattern: str) -> list[Finding]:
        """Findings whose sentence matches, letters' case ignored."""
        return [finding for finding in self.findings if re.search(pattern, finding.message, re.IGNORECASE)]

    def about(self, source_id: str) -> list[Finding]:
        return [finding for finding in self.findings if finding.source_id == source_id]

    @property
    def words(self) -> str:
        """Everything that the run says: its message and all findings."""
        return "\n".join([self.message, *(finding.message for finding in self.findings)])

    def mail_to(self, address: str) -> str:
        """The subject and text of the mails of this run to one address."""
        return "\n".join(f"{mail.subject}\n{mail.text}" for mail in self.mails if mail.to == address)


@dataclass(frozen=True)
class State:
    """The end state of a district."""

    people: tuple[Person, ...]
    schools: tuple[School, ...]
    classes: tuple[Class, ...]
    enrollments: tuple[Enrollment, ...]
    items: tuple[Item, ...]
    """Open worklist items without match reviews."""
    reviews: tuple[tuple[Person, Person], ...]
    """Open match reviews: the new row, the candidate."""
    runs: tuple[RunEnd, ...] = field(repr=False)

    @property
    def run(self) -> RunEnd:
        """The last run."""
        return self.runs[-1]

    def person(self, source_id: str) -> Person:
        """The one row of a source id."""
        return _one((row for row in self.people if row.source_id == source_id), source_id)

    def named(self, name: str) -> Person:
        """The one row of a full name."""
        return _one((row for row in self.people if row.name == name), name)

    def all_named(self, name: str) -> list[Person]:
        return [row for row in self.people if row.name == name]

    def school(self, source_id: str) -> School:
        return _one((row for row in self.schools if row.source_id == source_id), source_id)

    def class_(self, source_id: str) -> Class:
        return _one((row for row in self.classes if row.source_id == source_id), source_id)

    def enrolled(self, class_id: str, role: str = "student") -> set[str]:
        """Source ids of who is active in a class."""
        return {row.person or "" for row in self.enrollments if row.class_id == class_id and row.is_active
                and row.role == role}  # fmt: skip

    def enrollment(self, class_id: str, person: str) -> Enrollment:
        return _one(
            (row for row in self.enrollments if (row.class_id, row.person) == (class_id, person)),
            f"{class_id} {person}",
        )

    def asked(self, kind: str) -> set[str]:
        """Source ids of whom open items of a kind ask."""
        return {item.subject or "" for item in self.items if item.kind == kind}

    def needs_books(self) -> set[tuple[str, str]]:
        """(student, class) of the open items about books."""
        return {(item.subject or "", item.second or "") for item in self.items if item.kind == "student_needs_books"}

    def pairs(self) -> set[tuple[str, str]]:
        """Open match reviews by source id: (new, candidate); a row that gave its id up goes by its name."""
        return {(new.source_id or new.name, old.source_id or old.name) for new, old in self.reviews}

    @property
    def shared(self) -> set[str]:
        return {row.source_id or "" for row in self.people if row.is_shared}


def _one(rows: Iterable[Row], what: str) -> Row:
    found = list(rows)
    assert len(found) == 1, f"{len(found)} rows of {what}"
    return found[0]


_PEOPLE = """
select u.id, u.source_id, u.role, u.given_name, u.family_name, u.sis_id, u.state_id, u.email, u.username, u.grade,
  u.is_shared, u.is_enabled,
  (select count(*) from portal.license_assignments l where l.user_id = u.id) as licenses,
  (select count(*) from portal.student_books b where b.user_id = u.id) as books,
  coalesce((select array_agg(s.source_id order by s.source_id) from portal.user_schools m
    join portal.schools s on s.id = m.school_id where m.user_id = u.id and m.is_active), '{}') as schools
from portal.users u where u.district_id = %s order by u.id"""
_SCHOOLS = """
select s.id, s.source_id, s.name, s.sis_id, s.nces_id, s.state_id, s.is_shared,
  (select count(*) from portal.license_assignments l where l.school_id = s.id) as licenses
from portal.schools s where s.district_id = %s order by s.id"""
_CLASSES = """
select c.id, c.source_id, c.title, c.sis_id, s.source_id as school, c.term_name, c.starts_on, c.ends_on, c.is_shared,
  coalesce((select array_agg(b.title order by b.title) from portal.class_books cb
    join portal.books b on b.id = cb.book_id where cb.class_id = c.id), '{}') as books
from portal.classes c join portal.schools s on s.id = c.school_id where c.district_id = %s order by c.id"""
_ENROLLMENTS = """
select c.source_id as class_id, u.source_id as person, e.role, e.is_primary, e.is_active, e.begins_on, e.ends_on
from portal.enrollments e join portal.classes c on c.id = e.class_id join portal.users u on u.id = e.user_id
where c.district_id = %s order by c.id, u.id, e.role"""
_ITEMS = """
select w.kind, coalesce(u.source_id, s.source_id) as subject, w.subject_id, c.source_id as second,
  w.second_subject_id as second_id
from sync.worklist w
left join portal.users u on w.subject_type = 'user' and u.id = w.subject_id
left join portal.schools s on w.subject_type = 'school' and s.id = w.subject_id
left join portal.classes c on w.kind = 'student_needs_books' and c.id = w.second_subject_id
where w.district_id = %s and w.resolved_at is null order by w.id"""


def read_state(world: World, runs: Iterable[RunEnd]) -> State:
    """The portal and the worklist of a world's district as they are now."""
    district = world.district_id
    people = tuple(Person(**_tuples(row)) for row in world.rows(_PEOPLE, district))
    by_id = {person.id: person for person in people}
    items = [Item(**row) for row in world.rows(_ITEMS, district)]
    return State(
        people,
        tuple(School(**row) for row in world.rows(_SCHOOLS, district)),
        tuple(Class(**_tuples(row)) for row in world.rows(_CLASSES, district)),
        tuple(Enrollment(**row) for row in world.rows(_ENROLLMENTS, district)),
        tuple(item for item in items if item.kind != "match_review"),
        tuple((by_id[item.subject_id], by_id[item.second_id or 0]) for item in items if item.kind == "match_review"),
        tuple(runs),
    )


def read_run(world: World, run_id: int, mails: Iterable[Mail]) -> RunEnd:
    """How a run ended."""
    row = world.row(
        "select id, mode, status, coalesce(message, '') as message, is_complete_feed, proof, plan"
        " from sync.runs where id = %s", run_id,
    )  # fmt: skip
    proof, plan = row["proof"] or {}, row["plan"] or {}
    counts = world.rows("select * from sync.run_counts where run_id = %s", run_id)
    findings = world.rows(
        "select entity, source_id, severity, rule, message from sync.findings where run_id = %s order by id", run_id
    )
    return RunEnd(
        row["id"], row["mode"], row["status"], row["message"], row["is_complete_feed"],
        {**(proof.get("reasons") or {}), **(proof.get("not_complete") or {})},
        tuple(breach["sentence"] for breach in plan.get("breaches", [])),
        {one["entity"]: {name: count for name, count in one.items() if name not in ("run_id", "entity") and count}
         for one in counts},
        tuple(Finding(**one) for one in findings), tuple(mails),
    )  # fmt: skip


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
