"""A small portal made by SQL, for the tests of worklist and notices: each row as the sync or a person leaves it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from psycopg2.extensions import connection as Connection

from roster_sync.config.districts import District, SourceSettings
from tests.dsl.database import Database


@dataclass
class World:
    """One district; rows come by short calls, and the run at work is the newest."""

    owner: Connection
    district_id: int = 0
    run_id: int = 0
    _people: int = 0

    @property
    def district(self) -> District:
        return District(
            key="harbor",
            name="Harbor Unified School District",
            timezone="America/Chicago",
            source=SourceSettings(kind="oneroster_csv"),
            schedule="15 2 * * *",
        )

    def rows(self, text: str, **params: Any) -> list[tuple[Any, ...]]:
        with self.owner.cursor() as cursor:
            cursor.execute(text, {"district": self.district_id, "run": self.run_id, **params})
            return list(cursor.fetchall()) if cursor.description else []

    def one(self, text: str, **params: Any) -> Any:
        return self.rows(text, **params)[0][0]

    def begin(
        self, mode: str = "edit", status: str = "in_progress", message: str | None = None, plan: Any = None
    ) -> int:
        self.rows("update sync.runs set status = 'launched' where status = 'in_progress'")
        self.run_id = int(
            self.one(
                "insert into sync.runs (district_id, mode, trigger, status, message, plan)"
                " values (%(district)s, %(mode)s, 'nightly', %(status)s, %(message)s, %(plan)s) returning id",
                mode=mode,
                status=status,
                message=message,
                plan=json.dumps(plan or {}),
            )
        )
        return self.run_id

    def end(self, status: str, message: str | None = None) -> None:
        self.rows("update sync.runs set status = %(status)s, message = %(message)s where id = %(run)s",
                  status=status, message=message)  # fmt: skip

    def school(self, name: str = "Pine School", origin: str = "sync") -> int:
        source = name.lower().replace(" ", "-") if origin == "sync" else None
        return int(
            self.one(
                "insert into portal.schools (district_id, source_id, name, origin, created_run_id)"
                " values (%(district)s, %(source)s, %(name)s, %(origin)s, %(run)s) returning id",
                name=name,
                origin=origin,
                source=source,
            )
        )

    def select(self, school: int, is_selected: bool) -> None:
        self.rows(
            "insert into sync.school_selection (district_id, source_id, name, is_selected)"
            " select district_id, source_id, name, %(selected)s from portal.schools where id = %(school)s"
            " on conflict (district_id, source_id) do update set is_selected = excluded.is_selected",
            school=school,
            selected=is_selected,
        )

    def mode(self, school_mode: str) -> None:
        self.rows(
            "insert into sync.settings (district_id, school_mode) values (%(district)s, %(mode)s)"
            " on conflict (district_id) do update set school_mode = excluded.school_mode",
            mode=school_mode,
        )

    def person(
        self, role: str, *schools: int, given: str = "Ada", family: str = "Example", email: str | None = None,
        origin: str = "sync", is_dummy: bool = False, is_enabled: bool = True,
    ) -> int:  # fmt: skip
        self._people += 1
        created = self.run_id if origin == "sync" else None
        user = int(
            self.one(
                "insert into portal.users (district_id, source_id, role, given_name, family_name, email, origin,"
                " is_dummy, is_enabled, created_run_id)"
                " values (%(district)s, %(source)s, %(role)s, %(given)s, %(family)s, %(email)s, %(origin)s,"
                " %(dummy)s, %(enabled)s, %(created)s) returning id",
                source=f"p{self._people}", role=role, given=given, family=family, email=email, origin=origin,
                dummy=is_dummy, enabled=is_enabled, created=created,
            )
        )  # fmt: skip
        for school in schools:
            self.rows(
                "insert into portal.user_schools (user_id, school_id, origin)"
                " values (%(user)s, %(school)s, %(origin)s)",
                user=user,
                school=school,
                origin=origin,
            )
        return user

    def school_class(self, school: int, title: str = "Reading 5", books: int = 0) -> int:
        found = int(
            self.one(
                "insert into portal.classes (district_id, school_id, title, origin, source_id, created_run_id)"
                " values (%(district)s, %(school)s, %(title)s, 'sync', gen_random_uuid()::text, %(run)s) returning id",
                school=school,
                title=title,
            )
        )
        for number in range(books):
            self.rows(
                "insert into portal.books (code, title) values ('b' || %(n)s, 'Book ' || %(n)s) on conflict do nothing",
                n=number + 1,
            )
            self.rows(
                "insert into portal.class_books (class_id, book_id) select %(id)s, id from portal.books"
                " where code = 'b' || %(n)s",
                id=found,
                n=number + 1,
            )
        return found

    def enroll(self, school_class: int, user: int, role: str = "student") -> None:
        self.rows(
            "insert into portal.enrollments (district_id, class_id, user_id, role, origin, created_run_id)"
            " values (%(district)s, %(class)s, %(user)s, %(role)s, 'sync', %(run)s)",
            **{"class": school_class, "user": user, "role": role},
        )

    def give_books(self, school_class: int, user: int) -> None:
        self.rows(
            "insert into portal.student_books (user_id, class_id, book_id)"
            " select %(user)s, class_id, book_id from portal.class_books where class_id = %(class)s",
            **{"class": school_class, "user": user},
        )

    def license(self, user: int | None = None, school: int | None = None, expires_on: str | None = None) -> None:
        self.rows("insert into portal.products (code, title) values ('math', 'Grade 5 Math') on conflict do nothing")
        self.rows(
            "insert into portal.license_assignments (district_id, product_id, user_id, school_id, expires_on)"
            " select %(district)s, id, %(user)s, %(school)s, current_date + %(expires)s::interval from portal.products",
            user=user,
            school=school,
            expires=expires_on,
        )

    def unshare(self, table: str, row: int, is_shared: bool = False) -> None:
        texts = {
            "users": "update portal.users set is_shared = %(shared)s where id = %(row)s",
            "schools": "update portal.schools set is_shared = %(shared)s where id = %(row)s",
            "classes": "update portal.classes set is_shared = %(shared)s where id = %(row)s",
        }
        self.rows(texts[table], row=row, shared=is_shared)

    def subscribe(self, email: str, is_active: bool = True) -> None:
        self.rows(
            "insert into sync.subscriptions (district_id, email, is_active)"
            " values (%(district)s, %(email)s, %(active)s)",
            email=email,
            active=is_active,
        )

    def count(self, entity: str, **counts: int) -> None:
        """Counts of the run at work, as the apply step keeps them."""
        self.rows(
            "insert into sync.run_counts (run_id, entity, added, updated, unshared, deleted)"
            " values (%(run)s, %(entity)s, %(added)s, %(updated)s, %(unshared)s, %(deleted)s)",
            entity=entity,
            **{"added": 0, "updated": 0, "unshared": 0, "deleted": 0, **counts},
        )

    def open_items(self) -> set[tuple[Any, ...]]:
        return set(self.rows("select kind, subject_id, second_subject_id from sync.worklist where resolved_at is null"))

    def resolution(self, kind: str) -> Any:
        return self.one(
            "select resolution from sync.worklist where kind = %(kind)s order by id desc limit 1", kind=kind
        )


def new_world(owner: Connection) -> World:
    """An empty district with a first run at work."""
    world = World(owner)
    world.district_id = int(
        world.one(
            "insert into portal.districts (key, name) values ('harbor', 'Harbor Unified School District') returning id"
        )
    )
    world.begin()
    return world


@pytest.fixture
def world(portal: Database) -> Iterator[World]:
    """An empty district of a portal of its own."""
    with closing(portal.owner()) as owner:
        yield new_world(owner)


@pytest.fixture
def app(portal: Database) -> Iterator[Connection]:
    """A connection as the DAGs have it."""
    with closing(portal.connect()) as connection:
        yield connection
