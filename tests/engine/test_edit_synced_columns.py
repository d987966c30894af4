"""A column that follows the feed is read, compared, written, taken back and taken over: none of these may forget it."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest

from roster_sync.core.vocabulary import FIELDS
from tests.dsl.database import Database

SQL = Path(__file__).resolve().parents[2] / "include" / "sql"
SINGULAR = {"schools": "school", "users": "user", "classes": "class"}
PLACES = {
    # what the statement is for: its file, and how it is found there
    "folds rows of one id": ("staging/{table}.sql", r"insert into staging\.{table} \([^)]*\bkeep\)"),
    "finds what differs": ("plan/adds.sql", r"join staging\.{one}_values"),
    "adds": ("apply/{table}.sql", r"insert into portal\.{table}"),
    "updates": ("apply/{table}.sql", r"join staging\.{one}_values"),
    "undoes": ("undo/revert.sql", r"update portal\.{table} t"),
}
ONLY_PEOPLE = {
    "types": ("routines/staging/type_users.sql", "replace_partition"),
    "knows who is unchanged": ("routines/staging/match_users_by_id.sql", "is_same"),
    "takes over": ("matching/take_over.sql", r"update portal\.users t"),
}


def synced(portal: Database, table: str) -> set[str]:
    """The columns of a table of the portal that the feed has too; ids of rows are no values."""
    with closing(portal.owner()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select column_name from information_schema.columns"
            " where table_schema = 'portal' and table_name = %(table)s"
            " intersect select column_name from information_schema.columns"
            " where table_schema = 'staging' and table_name = %(table)s",
            {"table": table},
        )
        return {name for (name,) in cursor.fetchall()} - {"source_id"}


@pytest.mark.parametrize("table", SINGULAR)
def test_every_synced_column_is_in_each_statement_that_handles_it(portal: Database, table: str) -> None:
    columns = synced(portal, table)
    assert len(columns) >= 4
    missing = []
    for purpose, (file, marker) in (PLACES | (ONLY_PEOPLE if table == "users" else {})).items():
        names = {"table": table, "one": SINGULAR[table]}
        path = SQL / file.format(**names)
        text = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
        pieces = [text] if "routines" in file else text.split(";")
        found = [piece for piece in pieces if re.search(marker.format(**names), piece)]
        assert found, f"nothing in {file} {purpose}"
        missing += [
            f"{file}, which {purpose}: {name}"
            for name in columns
            for piece in found
            if not re.search(rf"\b{name}\b", piece)
        ]
    assert missing == []


@pytest.mark.parametrize("table", SINGULAR)
def test_every_synced_column_is_among_the_values_that_a_row_gets_and_may_be_written(
    portal: Database, table: str
) -> None:
    columns = synced(portal, table)
    with closing(portal.owner()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select column_name from information_schema.columns where table_schema = 'staging' and table_name = %s",
            (f"{SINGULAR[table]}_values",),
        )
        assert columns - {name for (name,) in cursor.fetchall()} == set()
        for role in ("roster_edit", "roster_reset", "roster_undo"):
            cursor.execute(
                "select name from unnest(%s) name where not has_column_privilege(%s, %s, name, 'update')",
                (list(columns), role, f"portal.{table}"),
            )
            assert cursor.fetchall() == [], role


@pytest.mark.parametrize("table", SINGULAR)
def test_every_synced_column_has_a_word_that_people_read(portal: Database, table: str) -> None:
    assert synced(portal, table) - FIELDS.keys() == set()
