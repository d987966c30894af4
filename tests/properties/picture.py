"""What the portal holds, in words that survive a change of ids: read once before and once after each run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.dsl.world import World

Row = dict[str, Any]
QUIET = ("updated_at", "updated_run_id")
"""Columns that say nothing about what a person sees."""


@dataclass(frozen=True)
class Picture:
    """Every row of the portal by its key, and which row every source id leads to."""

    schools: dict[int, Row]
    users: dict[int, Row]
    classes: dict[int, Row]
    user_schools: dict[tuple[int, int], Row]
    enrollments: dict[tuple[int, int, str], Row]
    licenses: dict[int, Row]
    class_books: set[tuple[int, int]]
    student_books: set[tuple[int, int, int]]
    ids: dict[tuple[str, str, str], int]
    selected: frozenset[str] | None
    """Source ids of the selected schools; None where all are."""
    candidates: frozenset[int]
    """People of whom a match review that is open asks whether somebody new is them."""
    decided: frozenset[int]
    """New people of whom somebody decided that they are nobody known."""

    def tables(self) -> dict[str, dict[Any, Row]]:
        """The tables whose rows have columns."""
        return {
            "schools": self.schools, "users": self.users, "classes": self.classes,
            "user_schools": self.user_schools, "enrollments": self.enrollments, "licenses": self.licenses,
        }  # fmt: skip

    def manual(self, table: str) -> dict[Any, Row]:
        """The rows of a table that people made."""
        return {key: row for key, row in self.tables()[table].items() if row["origin"] == "manual"}

    def known_as(self, entity: str, row_id: int) -> set[tuple[str, str]]:
        """Every (issuer, source id) that leads to this row."""
        return {
            (issuer, source_id)
            for (kind, issuer, source_id), row in self.ids.items()
            if (kind, row) == (entity, row_id)
        }

    def schools_of(self, user_id: int) -> set[int]:
        """Where a person stands, by themselves or by a class that they are in now."""
        by_class = {self.classes[c]["school_id"] for (c, u, _), row in self.enrollments.items()
                    if u == user_id and row["is_active"]}  # fmt: skip
        return {school for user, school in self.user_schools if user == user_id} | by_class

    def is_selected(self, school: Row) -> bool:
        """Whether the district wants this school."""
        return self.selected is None or school["source_id"] in self.selected


def differences(one: Picture, other: Picture) -> list[tuple[Any, ...]]:
    """What differs, but for the quiet columns: table, key, then both rows' differing columns or None."""
    found: list[tuple[Any, ...]] = []
    for name, rows in one.tables().items():
        others = other.tables()[name]
        for key in rows.keys() | others.keys():
            row, twin = rows.get(key), others.get(key)
            if row is None or twin is None:
                found.append((name, key, row and "only here", twin and "only there"))
            else:
                columns = [column for column in row if column not in QUIET and row[column] != twin[column]]
                found += [(name, key, column, row[column], twin[column]) for column in columns]
    found += [("class_books", *key) for key in one.class_books ^ other.class_books]
    found += [("student_books", *key) for key in one.student_books ^ other.student_books]
    return found


def take(portal: World) -> Picture:
    """One district's rows now."""

    def keyed(text: str, *columns: str) -> dict[Any, Row]:
        found = [row for (row,) in portal.tuples(text)]
        return {tuple(row[column] for column in columns) if len(columns) > 1 else row[columns[0]]: row for row in found}

    own = "select to_jsonb(t) from portal.{} t where district_id = %(d)s"
    ids = portal.tuples("select entity, issuer, source_id, row_id from sync.source_ids where district_id = %(d)s")
    modes = portal.tuples(
        "select school_mode from sync.settings where district_id = %(d)s"
    )  # none before the first run
    chosen = portal.tuples("select source_id from sync.school_selection where district_id = %(d)s and is_selected")
    reviews = portal.tuples("select second_subject_id from sync.worklist where district_id = %(d)s"
                          " and kind = 'match_review' and resolved_at is null")  # fmt: skip
    decided = portal.tuples("select subject_id from sync.worklist where district_id = %(d)s and subject_type = 'user'"
                          " and resolved_at is not null and resolved_by <> 'sync'")  # fmt: skip
    return Picture(
        schools=keyed(own.format("schools"), "id"),
        users=keyed(own.format("users"), "id"),
        classes=keyed(own.format("classes"), "id"),
        user_schools=keyed(
            "select to_jsonb(t) from portal.user_schools t join portal.schools s on s.id = t.school_id"
            " where s.district_id = %(d)s", "user_id", "school_id",
        ),
        enrollments=keyed(own.format("enrollments"), "class_id", "user_id", "role"),
        licenses=keyed(own.format("license_assignments"), "id"),
        class_books=set(portal.tuples("select t.class_id, t.book_id from portal.class_books t join portal.classes c"
                                    " on c.id = t.class_id where c.district_id = %(d)s")),
        student_books=set(portal.tuples("select t.user_id, t.class_id, t.book_id from portal.student_books t"
                                      " join portal.classes c on c.id = t.class_id where c.district_id = %(d)s")),
        ids={(entity, issuer, source_id): row_id for entity, issuer, source_id, row_id in ids},
        selected=frozenset(row[0] for row in chosen) if modes == [("listed",)] else None,
        candidates=frozenset(row[0] for row in reviews),
        decided=frozenset(row[0] for row in decided),
    )  # fmt: skip
