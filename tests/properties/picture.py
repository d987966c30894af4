"""What the portal holds, in words that survive a change of ids: read once before and once after each run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.rosters_memory import Portal

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

    def tables(self) -> dict[str, dict[Any, Row]]:
        """The tables whose rows have columns."""
        return {
            "schools": self.schools, "users": self.users, "classes": self.classes,
            "user_schools": self.user_schools, "enrollments": self.enrollments, "licenses": self.licenses,
        }  # fmt: skip

    def without_quiet_columns(self) -> dict[str, Any]:
        """All that an exact undo must bring back."""
        return {
            name: {
                key: {column: value for column, value in row.items() if column not in QUIET}
                for key, row in rows.items()
            }
            for name, rows in self.tables().items()
        } | {"class_books": self.class_books, "student_books": self.student_books}

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

    def is_selected(self, school: Row) -> bool:
        """Whether the district wants this school."""
        return self.selected is None or school["source_id"] in self.selected


def take(portal: Portal) -> Picture:
    """One district's rows now."""

    def keyed(text: str, *columns: str) -> dict[Any, Row]:
        found = [row for (row,) in portal.rows(text)]
        return {tuple(row[column] for column in columns) if len(columns) > 1 else row[columns[0]]: row for row in found}

    own = "select to_jsonb(t) from portal.{} t where district_id = %(d)s"
    ids = portal.rows("select entity, issuer, source_id, row_id from sync.source_ids where district_id = %(d)s")
    mode = portal.one("select school_mode from sync.settings where district_id = %(d)s")
    chosen = portal.rows("select source_id from sync.school_selection where district_id = %(d)s and is_selected")
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
        class_books=set(portal.rows("select t.class_id, t.book_id from portal.class_books t join portal.classes c"
                                    " on c.id = t.class_id where c.district_id = %(d)s")),
        student_books=set(portal.rows("select t.user_id, t.class_id, t.book_id from portal.student_books t"
                                      " join portal.classes c on c.id = t.class_id where c.district_id = %(d)s")),
        ids={(entity, issuer, source_id): row_id for entity, issuer, source_id, row_id in ids},
        selected=frozenset(row[0] for row in chosen) if mode == "listed" else None,
    )  # fmt: skip
