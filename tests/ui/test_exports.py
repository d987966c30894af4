"""CSV files: complete, and safe in a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest

from roster_sync.ui.views.exports import safe
from tests.ui import madeup


def read(answer):
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1"])
def test_a_cell_that_a_spreadsheet_would_run_becomes_text(cell):
    assert safe(cell) == "'" + cell


@pytest.mark.parametrize(("cell", "written"), [("a=b", "a=b"), (None, ""), (12, "12"), ("", "")])
def test_any_other_cell_stays(cell, written):
    assert safe(cell) == written


def test_every_change_is_exported_with_before_and_after(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched")
    pages.cursor.execute("update portal.users set family_name = '=HYPERLINK(1)' where role = 'student'")
    pages.cursor.execute(
        "insert into sync.changes (run_id, table_name, key, action, before, after, changed)"
        " select %s, 'users', jsonb_build_object('id', id), 'update',"
        " '{\"grade\": \"-5\"}', '{\"grade\": \"06\"}', '{grade}'"
        " from portal.users where district_id = %s and role = 'student'", (run, pages.harbor)
    )  # fmt: skip
    answer = pages.client().get(f"/roster/districts/harbor/runs/{run}/changes.csv?kind=students&what=updated")
    rows = read(answer)
    assert len(rows) == 120
    assert {row["before"] for row in rows} == {"'-5"}
    assert {row["after"] for row in rows} == {"06"}
    assert all(row["name"].startswith("'=HYPERLINK") for row in rows)
    assert f"run-{run}-students-updated.csv" in answer.headers["content-disposition"]


def test_every_rejected_row_is_exported_with_how_to_fix_it(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched")
    pages.cursor.execute(
        "insert into sync.findings (run_id, entity, source_id, severity, rule, message, line)"
        " select %s, 'users', 'x' || n, 'error', 'no_name', 'Fill in the name.', n from generate_series(1, 5500) n",
        (run,),
    )  # fmt: skip
    rows = read(pages.client().get(f"/roster/districts/harbor/runs/{run}/rejected.csv"))
    assert [row["source_id"] for row in rows] == [f"x{n}" for n in range(1, 5501)]
    assert rows[0]["what_to_do"] == "Fill in the name."
    assert (rows[0]["kind"], rows[0]["rule"]) == ("People", "no name")


def test_the_worklist_of_roles_is_exported_in_words(pages):
    teacher = madeup.person(pages.cursor, pages.harbor, "teacher")
    madeup.item(pages.cursor, pages.harbor, "role_drift", teacher, source_roles=["school_admin"])
    (row,) = read(pages.client().get("/roster/districts/harbor/worklist.csv?kind=role_drift"))
    assert (row["role"], row["source_role"]) == ("Teacher", "School admin")


def test_the_worklist_is_exported(pages):
    for position in (1, 2):
        madeup.item(pages.cursor, pages.harbor, "teacher_needs_license",
                    madeup.person(pages.cursor, pages.harbor, "teacher", position=position))  # fmt: skip
    rows = read(pages.client().get("/roster/districts/harbor/worklist.csv?kind=teacher_needs_license"))
    assert [row["email"] for row in rows] == ["harbor1@example.org", "harbor2@example.org"]
