"""Whole runs of the DAGs, as `airflow dags test` makes them: each comes to an end, in the right color."""

from __future__ import annotations

import csv
import io
import json
import socket
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from airflow.dag_processing.dagbag import DagBag

from include.simulator.district import MadeUpDistrict
from include.simulator.oneroster_csv import write_csv
from roster_sync.config import registry_file
from tests.dsl.database import Database

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[2]
STUDENTS, SCHOOLS = 60, 2


@dataclass
class Bay:
    """A district of files, and its portal."""

    portal: Database
    feed: Path

    def run(self, dag_id: str = "roster_sync__bay", **conf: Any) -> tuple[str, dict[str, str | None]]:
        """Runs a DAG to its end; its color, and that of each task."""
        bag = DagBag(str(REPOSITORY / "dags"))
        assert bag.import_errors == {}
        run = bag.dags[dag_id].test(run_conf=conf)
        return str(run.state), {one.task_id: one.state and str(one.state) for one in run.get_task_instances()}

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(self.portal.owner()) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def last_run(self) -> tuple[Any, ...]:
        return self.rows("select mode, trigger, status, started_by from sync.runs order by id desc limit 1")[0]

    def lose_half_of_the_students(self) -> None:
        """As a district's broken export does it."""
        with zipfile.ZipFile(self.feed) as archive:
            files = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
        users = list(csv.DictReader(io.StringIO(files["users.csv"])))
        gone = {row["sourcedId"] for row in users if row["role"] == "student"}
        gone = set(sorted(gone)[: len(gone) // 2])
        for name, column in (("users.csv", "sourcedId"), ("enrollments.csv", "userSourcedId")):
            rows = [row for row in csv.DictReader(io.StringIO(files[name])) if row[column] not in gone]
            text = io.StringIO()
            writer = csv.DictWriter(text, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
            files[name] = text.getvalue()
        with zipfile.ZipFile(self.feed, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)


@pytest.fixture
def bay(airflow_metadata: None, portal: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bay:
    feed = tmp_path / "bay.zip"
    write_csv(MadeUpDistrict(7, STUDENTS, SCHOOLS).day(1), feed)
    registry = tmp_path / "registry.yaml"
    registry.write_text(
        "districts:\n  - {key: bay, name: Bay, timezone: UTC, source: {kind: oneroster_csv, path: bay.zip}}\n"
    )
    monkeypatch.setenv(registry_file.DISTRICTS_VARIABLE, str(registry))
    monkeypatch.setenv("AIRFLOW_CONN_PORTAL_DB", portal.airflow_connection)
    monkeypatch.setenv("ROSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ROSTER_DAGS_TEST", "1")
    return Bay(portal, feed)


def test_a_night_from_the_first_load_over_a_hold_to_a_reset_and_back(bay):
    """One test for several runs: each of them costs seconds, and each needs what the one before it left."""
    color, tasks = bay.run()
    assert color == "success"
    assert tasks.pop("ask") == "skipped"
    assert set(tasks.values()) == {"success"}
    assert bay.last_run() == ("edit", "manual", "launched", "dag_test")
    assert bay.rows("select count(*) from portal.users where role = 'student'") == [(STUDENTS,)]

    before = bay.rows("select max(id) from sync.runs")
    color, tasks = bay.run(preview_onyl=True)
    assert (color, tasks["start"], tasks["extract"]) == ("failed", "failed", "upstream_failed")
    assert bay.rows("select max(id) from sync.runs") == before

    bay.lose_half_of_the_students()
    color, tasks = bay.run(preview_only=True)
    assert (color, tasks["apply"], tasks["ask"]) == ("success", "skipped", "skipped")
    assert bay.last_run()[2] == "previewed"
    assert bay.rows("select count(*) from portal.users where not is_shared") == [(0,)]

    color, tasks = bay.run()
    assert (color, set(tasks.values())) == ("success", {"success"})
    assert bay.last_run()[2] == "held"
    assert bay.rows("select count(*) from portal.users where not is_shared") == [(0,)]

    color, tasks = bay.run("roster_reset", district="bay", max_deleted_percent=100, reason="a test")
    assert (color, tasks["apply"], tasks["ask"]) == ("success", "success", "skipped")
    assert bay.last_run() == ("reset", "manual", "launched", "dag_test")
    assert bay.rows("select reason from sync.runs where mode = 'reset'") == [("a test",)]
    assert bay.rows("select count(*) from portal.users where role = 'student'") == [(STUDENTS // 2,)]

    color, tasks = bay.run("roster_undo", district="bay")
    assert (color, set(tasks.values())) == ("success", {"success"})
    assert bay.last_run() == ("undo", "manual", "launched", "dag_test")
    assert bay.rows("select count(*) from portal.users where role = 'student'") == [(STUDENTS,)]


def test_a_source_that_cannot_be_read_fails_the_run_in_one_sentence(bay):
    bay.feed.write_bytes(b"this is no zip")
    color, tasks = bay.run()
    assert (color, tasks["extract"], tasks["notify"], tasks["finish"]) == (
        "failed",
        "failed",
        "upstream_failed",
        "success",
    )
    ((status, message),) = bay.rows("select status, message from sync.runs")
    assert status == "failed"
    assert "bay.zip" in message
    assert "\n" not in message


def test_a_run_that_may_not_run_now_is_skipped_and_green(bay):
    bay.run(preview_only=True)
    bay.rows("update sync.settings set expires_on = current_date - 2 returning 1")
    color, tasks = bay.run()
    assert color == "success"
    assert set(tasks.values()) == {"skipped"}
    assert bay.last_run()[2] == "expired"


def test_a_run_refused_at_its_start_is_red_recorded_and_reported(bay, monkeypatch):
    bay.run(preview_only=True)
    bay.rows("update sync.settings set school_mode = 'listed' returning 1")
    bay.rows("update sync.school_selection set is_selected = false returning 1")
    bay.rows("insert into sync.subscriptions (district_id, email) select id, 'pat@bay.example' from portal.districts"
             " returning 1")  # fmt: skip
    with mail_catcher(monkeypatch) as received:
        color, tasks = bay.run("roster_reset", district="bay")
    assert (color, tasks["start"], tasks["extract"]) == ("failed", "failed", "upstream_failed")
    ((status, message),) = bay.rows("select status, message from sync.runs where mode = 'reset'")
    assert (status, message[:22]) == ("failed", "No school is selected ")
    assert len(received) == 1
    assert b"pat@bay.example" in received[0]
    assert b"No school is selected" in received[0]


@contextmanager
def mail_catcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    received: list[bytes] = []

    class Catcher:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            received.append(envelope.content)
            return "250 OK"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    catcher = Controller(Catcher(), hostname="127.0.0.1", port=port)
    catcher.start()
    extra = {"from_email": "roster@example.com", "disable_ssl": True, "disable_tls": True}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
    try:
        yield received
    finally:
        catcher.stop()


def test_a_run_that_died_is_closed_by_the_next_one(bay):
    bay.run(preview_only=True)
    bay.rows(
        "insert into sync.runs (district_id, mode, airflow_dag_id, airflow_run_id)"
        " select id, 'edit', 'roster_sync__bay', 'never_was' from portal.districts returning 1"
    )
    assert bay.run()[0] == "success"
    ((status, message),) = bay.rows("select status, message from sync.runs where airflow_run_id = 'never_was'")
    assert status == "failed"
    assert "no longer alive" in message
