"""What is past its keep-by date: pages, files and the API say so, and never that nothing was there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ui import madeup

HARBOR = "/roster/districts/harbor"
API = "/roster/api/v1/districts/harbor"
REJECTED = "The list of rejected rows is kept for 20 days and has been deleted."


@pytest.fixture(autouse=True)
def keep_by(monkeypatch):
    for name, days in (("KEEP_FINDINGS_DAYS", "20"), ("KEEP_STAGING_DAYS", "5"), ("UNDO_DAYS", "12")):
        monkeypatch.setenv(f"ROSTER_{name}", days)


def program(pages):
    return pages.client(by="bearer", site=None)


def test_rejected_rows_that_are_no_longer_kept_are_not_said_to_be_none(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched", counts={"teachers": {"rejected": 3}})
    path = f"{HARBOR}/runs/{run}/rejected"
    for query in ("", "?rule=no_email&entity=users"):
        text = pages.client().get(path + query).text
        assert REJECTED in text
        assert ">None.</p>" not in text
        assert "Download CSV" not in text
        assert "<b>0</b>" not in text
    exported = pages.client().get(f"{path}.csv")
    assert exported.status_code == 410
    assert REJECTED in exported.text
    answer = program(pages).get(f"{API}/runs/{run}/findings")
    assert (answer.status_code, answer.json()) == (410, {"detail": REJECTED})


def test_where_no_row_was_rejected_it_is_said_however_old_the_run(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched", days_ago=90, counts={"teachers": {"received": 3}})
    path = f"{HARBOR}/runs/{run}/rejected"
    assert ">None.</p>" in pages.client().get(path).text
    assert pages.client().get(f"{path}.csv").status_code == 200
    assert program(pages).get(f"{API}/runs/{run}/findings").json() == []


@pytest.mark.parametrize(("severity", "what"), [("warning", "warnings"), ("info", "notes")])
def test_warnings_and_notes_are_counted_nowhere_so_the_runs_age_tells(pages, severity, what):
    old, young = (madeup.run(pages.cursor, pages.harbor, "launched", days_ago=days) for days in (21, 19))
    told = f"The list of {what} is kept for 20 days and has been deleted."
    assert told in pages.client().get(f"{HARBOR}/runs/{old}/rejected?severity={severity}").text
    assert ">None.</p>" in pages.client().get(f"{HARBOR}/runs/{young}/rejected?severity={severity}").text
    for run, status in ((old, 410), (young, 200)):
        assert pages.client().get(f"{HARBOR}/runs/{run}/rejected.csv?severity={severity}").status_code == status
        assert program(pages).get(f"{API}/runs/{run}/findings?severity={severity}").status_code == status


def test_a_run_whose_findings_are_there_has_none_of_another_severity(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched", days_ago=90, counts={"teachers": {"rejected": 1}})
    pages.cursor.execute(
        "insert into sync.findings (run_id, entity, source_id, severity, rule, message)"
        " values (%s, 'users', 'x1', 'error', 'no_name', 'Fill in the name.')",
        (run,),
    )
    assert ">None.</p>" in pages.client().get(f"{HARBOR}/runs/{run}/rejected?severity=info").text
    assert program(pages).get(f"{API}/runs/{run}/findings?severity=info").json() == []


@pytest.mark.parametrize(
    ("status", "mode", "counted", "told"),
    [
        ("launched", "edit", "updated", "The list of changes is kept for 12 days and has been deleted."),
        ("launched", "reset", "deleted", "The list of changes is kept for 12 days and has been deleted."),
        ("launched", "undo", "added", "The list of changes is kept for 12 days and has been deleted."),
        ("launched", "edit", "added", "What this run added is no longer in the portal"),
        ("held", "edit", "held", "The list of rows on hold is kept for 5 days and has been deleted."),
        ("previewed", "edit", "unshared", "The list of previewed changes is kept for 5 days and has been deleted."),
    ],
)
def test_changes_that_are_no_longer_kept_are_not_said_to_be_none(pages, status, mode, counted, told):
    columns: dict[str, dict[str, Any]] = {
        "held": {"wrote": True},
        "previewed": {"plan": {"counts": {"students": {"unshare": 4}}}},
    }
    run = madeup.run(
        pages.cursor, pages.harbor, status, days_ago=15, mode=mode, counts={"students": {counted: 4}},
        **columns.get(status, {}),
    )  # fmt: skip
    query = f"?kind=students&what={counted}"
    text = pages.client().get(f"{HARBOR}/runs/{run}/changes{query}").text
    assert told in text
    assert "Nothing in this list" not in text
    assert "Download CSV" not in text
    exported = pages.client().get(f"{HARBOR}/runs/{run}/changes.csv{query}")
    assert (exported.status_code, told in exported.text) == (410, True)
    answer = program(pages).get(f"{API}/runs/{run}/changes{query}")
    assert answer.status_code == 410
    assert answer.json()["detail"].startswith(told)


def test_what_a_run_counted_as_none_is_none(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched", days_ago=90, counts={"students": {"updated": 4}})
    query = "?kind=teachers&what=updated"
    assert "Nothing in this list." in pages.client().get(f"{HARBOR}/runs/{run}/changes{query}").text
    assert pages.client().get(f"{HARBOR}/runs/{run}/changes.csv{query}").status_code == 200
    assert program(pages).get(f"{API}/runs/{run}/changes{query}").json() == {"changes": [], "next": None}


def test_a_page_beyond_the_last_row_is_empty_and_not_gone(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched", counts={"students": {"updated": 4}})
    answer = program(pages).get(f"{API}/runs/{run}/changes?kind=students&what=updated&after=c99999999")
    assert answer.json() == {"changes": [], "next": None}


def test_data_docs_are_offered_only_while_they_are_there(pages, tmp_path, monkeypatch):
    monkeypatch.setenv("ROSTER_HOME", str(tmp_path))
    run = madeup.run(pages.cursor, pages.harbor, "launched", data_docs="harbor/runs/7.html")
    path = f"{HARBOR}/runs/{run}"
    assert "Data Docs" not in pages.client().get(path).text
    gone = pages.client().get(f"{path}/data-docs")
    assert gone.status_code == 410
    assert "have been deleted" in gone.text
    folder = tmp_path / "data_docs" / "harbor" / "runs"
    folder.mkdir(parents=True)
    (folder / "7.html").write_text("checked")
    assert "Data Docs" in pages.client().get(path).text
    assert "docs-files/runs/7.html" in pages.client().get(f"{path}/data-docs").text
