"""What housekeeping drops and when, what it leaves, and that it says how much."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing

import psycopg2
import pytest

from roster_sync.core.errors import ConfigError, SyncRefused
from roster_sync.engine import housekeeping
from roster_sync.engine.housekeeping import Settings
from tests.dsl.database import REPOSITORY, Database
from tests.dsl.world import World
from tests.engine.schools import two_schools


def age(harbor: World, days: float, run_id: int | None = None) -> None:
    harbor.do(
        "update sync.runs set started_at = started_at - make_interval(hours => %(h)s),"
        " finished_at = finished_at - make_interval(hours => %(h)s),"
        " wrote_at = wrote_at - make_interval(hours => %(h)s)"
        " where id = %(r)s or %(r)s is null",
        h=int(days * 24), r=run_id,
    )  # fmt: skip


def staged(harbor: World) -> list[int]:
    return [row[0] for row in harbor.tuples("select distinct run_id from staging.users order by 1")]


def test_a_feed_and_its_plan_are_dropped_after_three_days(harbor: World) -> None:
    harbor.edit(two_schools())
    old = harbor.run_id
    age(harbor, 3.1)
    harbor.edit(two_schools())
    assert staged(harbor) == [old, harbor.run_id]
    assert housekeeping.purge(harbor.app)["staged_runs"] == 1
    assert staged(harbor) == [harbor.run_id]
    assert harbor.value("select to_regclass('staging.plan_' || %(r)s)", r=old) is None
    assert housekeeping.purge(harbor.app)["staged_runs"] == 0


def test_an_edit_whose_question_waits_keeps_what_it_staged(harbor: World) -> None:
    roster = two_schools()
    for number in range(20):
        roster.student(f"x{number}", "north")
    harbor.edit(roster)
    fewer = roster.without(*(f"x{number}" for number in range(10)))
    assert harbor.edit(fewer) == "held"
    age(harbor, 5)
    housekeeping.purge(harbor.app)
    assert staged(harbor) == [harbor.run_id]
    harbor.answer()
    housekeeping.purge(harbor.app)
    assert harbor.go_on_after_approval(fewer) == "launched"
    assert housekeeping.purge(harbor.app)["staged_runs"] == 1


def test_findings_are_dropped_after_thirty_days(harbor: World) -> None:
    harbor.edit(two_schools().with_("t1", email="no address"))
    assert harbor.value("select count(*) from sync.findings") == 1
    age(harbor, 29)
    assert housekeeping.purge(harbor.app)["findings"] == 0
    age(harbor, 2)
    assert housekeeping.purge(harbor.app)["findings"] == 1
    assert harbor.value("select count(*) from sync.findings") == 0


def test_before_images_are_dropped_when_their_run_can_no_longer_be_undone(harbor: World) -> None:
    harbor.edit(two_schools())
    before = harbor.snapshot()
    harbor.reset(two_schools().without("s1"))
    old = harbor.run_id
    age(harbor, 29)
    assert housekeeping.purge(harbor.app)["images"] == 0
    harbor.undo(old)
    assert harbor.snapshot() == before
    harbor.reset(two_schools().without("s1", "s2"))
    kept = harbor.run_id
    age(harbor, 2, old)
    images = harbor.value("select count(*) from sync.changes where run_id = %(r)s", r=old)
    assert images > 0
    assert housekeeping.purge(harbor.app)["images"] == images
    assert harbor.value("select count(*) from sync.changes where run_id = %(r)s", r=old) == 0
    assert harbor.undo(kept) == "launched"
    assert harbor.snapshot() == before


def test_a_run_without_its_images_is_not_undone(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.reset(two_schools().without("s1"))
    age(harbor, 31)
    housekeeping.purge(harbor.app)
    with pytest.raises(SyncRefused, match="older than the 30 days"):
        harbor.undo(harbor.run_id)


def test_rows_of_closed_questions_are_dropped_and_those_of_open_and_approved_ones_kept(harbor: World) -> None:
    harbor.edit(two_schools())
    rows = "select count(*) from sync.held_rows"
    assert harbor.ask_to_reset(two_schools().without_school("south")) == "held"
    housekeeping.purge(harbor.app)
    assert harbor.value(rows) > 0
    harbor.answer("approved")
    housekeeping.purge(harbor.app)
    assert harbor.value(rows) > 0  # the approval has still to be carried out
    count = harbor.value(rows)
    harbor.begin("edit")  # supersedes it
    assert housekeeping.purge(harbor.app)["held_rows"] == count
    assert harbor.value(rows) == 0


def test_a_run_that_airflow_calls_dead_is_closed_at_once_and_one_that_is_alive_never(harbor: World) -> None:
    harbor.begin("edit")
    assert housekeeping.purge(harbor.app, is_alive=lambda dag, run: True)["runs_closed"] == 0
    age(harbor, 3)
    assert housekeeping.purge(harbor.app, is_alive=lambda dag, run: True)["runs_closed"] == 0
    assert housekeeping.purge(harbor.app, is_alive=lambda dag, run: False)["runs_closed"] == 1
    assert harbor.status() == "failed"
    assert "no longer alive" in harbor.message()


def test_where_airflow_does_not_know_a_run_it_is_closed_after_a_day(harbor: World) -> None:
    harbor.begin("edit")
    assert housekeeping.purge(harbor.app)["runs_closed"] == 0
    age(harbor, 1.1)
    assert housekeeping.purge(harbor.app, is_alive=lambda dag, run: None)["runs_closed"] == 1


def test_what_another_run_reads_at_this_moment_is_left_to_the_next_purge(
    harbor: World, shared_database: Database
) -> None:
    harbor.edit(two_schools())
    age(harbor, 4)
    with closing(psycopg2.connect(shared_database.dsn_owner)) as reader:
        with reader.cursor() as cursor:
            cursor.execute("select count(*) from staging.plan")
        counts = housekeeping.purge(harbor.app)
    assert (counts["staged_runs"], counts["staged_runs_left"]) == (0, 1)
    assert housekeeping.purge(harbor.app)["staged_runs"] == 1


def test_it_says_how_much(harbor: World, caplog: pytest.LogCaptureFixture) -> None:
    harbor.edit(two_schools())
    harbor.edit(two_schools().without("s1"), max_deleted_percent=100)
    age(harbor, 40)
    images = harbor.value("select count(*) from sync.changes")
    with caplog.at_level("INFO"):
        counts = housekeeping.purge(harbor.app)
    assert counts["staged_runs"] == 2
    assert counts["images"] == images > 0
    for name, count in counts.items():
        assert f"{name} {count}" in caplog.text


def test_the_times_are_settings() -> None:
    assert Settings.from_environment({}) == Settings(3, 30, 30, 24)
    given = {"ROSTER_KEEP_STAGING_DAYS": "1", "ROSTER_KEEP_FINDINGS_DAYS": "7", "ROSTER_UNDO_DAYS": "14"}
    assert Settings.from_environment(given) == Settings(1, 7, 14, 24)


@pytest.mark.parametrize("value", ["-1", "0", "soon", "nan", "1e9"])
def test_a_setting_that_is_no_number_above_0_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="ROSTER_UNDO_DAYS must be a number above 0, such as 30"):
        Settings.from_environment({"ROSTER_UNDO_DAYS": value})


def test_half_a_day_is_refused_as_it_would_keep_nothing() -> None:
    with pytest.raises(ConfigError, match="ROSTER_KEEP_STAGING_DAYS must be a whole number of days, such as 3"):
        Settings.from_environment({"ROSTER_KEEP_STAGING_DAYS": "0.5"})


def test_a_bad_setting_stops_only_what_needs_it_and_says_so(harbor: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTER_APPROVAL_HOURS", "a day")
    monkeypatch.setenv("ROSTER_UNDO_DAYS", "a month")
    assert harbor.edit(two_schools()) == "launched"
    with pytest.raises(ConfigError, match="The setting ROSTER_UNDO_DAYS must be a number above 0, such as 30"):
        harbor.undo()
    with pytest.raises(ConfigError, match="ROSTER_UNDO_DAYS"):
        housekeeping.purge(harbor.app)
    with pytest.raises(ConfigError, match="The setting ROSTER_APPROVAL_HOURS must be a number above 0, such as 24"):
        harbor.ask_to_reset(two_schools().without_school("south"))
    assert harbor.value("select count(*) from sync.holds") == 0


def test_a_bad_setting_takes_no_dag_away() -> None:
    modules = ", ".join(
        f"roster_sync.{name}"
        for name in ("orchestration.dag_factory", "engine.holds", "engine.undo", "engine.housekeeping")
    )
    environment = os.environ | {"ROSTER_APPROVAL_HOURS": "x", "ROSTER_UNDO_DAYS": "x", "ROSTER_KEEP_STAGING_DAYS": "x"}
    environment["PYTHONPATH"] = str(REPOSITORY / "plugins")
    subprocess.run([sys.executable, "-c", f"import {modules}"], env=environment, check=True, capture_output=True)
