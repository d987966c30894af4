"""No name, email or other word of a person in a log line, an exception or what is kept of a run."""

from __future__ import annotations

import json
import logging

import pytest

from roster_sync.core.errors import DatabaseFailure
from tests.dsl.csv_files import csv_files
from tests.dsl.roster import MemorySource, Roster, town
from tests.dsl.world import World

WORDS = ("Given-", "Family-", "people.example", "user-a", "user-t", "sis-a", "Zyx")


def _is_clean(text: str) -> bool:
    return not any(word in text for word in WORDS)


def test_log_lines_hold_counts_and_no_one(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.run(csv_files(town()))
    roster = town().without("a1", "a2", "a3", "b1", "b2").with_("a4", email="Zyx", grades="Zyx").student("n1", "S1")
    files = csv_files(roster)
    held = world.run(files | {"users.csv": files["users.csv"] + "Zyx,active,2026-01-01,Zyx\r\n"})
    assert held.status == "held"
    world.approve(held.id)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("roster_sync")]
    assert len(lines) > 5
    assert all(map(_is_clean, lines))


def test_what_a_run_keeps_of_itself_holds_no_one(world: World) -> None:
    world.run(town())
    held = world.run(town().without("a1", "a2", "a3", "b1", "b2").student("n1", "S1"))
    row = world.row("select feed, proof, plan, steps, message, parameters from sync.runs where id = %s", held.id)
    assert _is_clean(json.dumps(row))
    assert _is_clean(json.dumps(world.value("select summary from sync.holds where run_id = %s", held.id)))


@pytest.mark.parametrize("table", ["users", "enrollments"])
def test_a_database_error_is_reported_by_its_code_and_file_and_never_by_the_row(world: World, table: str) -> None:
    world.run(town())
    world.do("create function portal.refuse() returns trigger language plpgsql as"
             " $$ begin raise exception 'row: %', new; end $$")  # fmt: skip
    world.do(f"create trigger refuse before insert on portal.{table} for each row execute function portal.refuse()")
    try:
        run_id = world.begin()
        with pytest.raises(DatabaseFailure) as failure:
            _steps(world, run_id)
    finally:
        world.do("drop function portal.refuse() cascade")
    assert str(failure.value) == f"PostgreSQL refused include/sql/apply/{table}.sql (SQLSTATE P0001)."
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__
    assert world.go_on(run_id, MemorySource(_more())).status == "launched"  # nothing is left behind by the failure


def _more() -> Roster:
    return town().student("n1", "S1").enroll("c-t1", "n1")


def _steps(world: World, run_id: int) -> None:
    from roster_sync.engine import apply
    from roster_sync.engine.planning import plan
    from roster_sync.feed import staging

    staging.load(world.app, run_id, world.district, MemorySource(_more()))
    plan.make(world.app, run_id, world.district)
    apply.apply(world.app, run_id, world.district)
