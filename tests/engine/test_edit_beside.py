"""The join of the enrolments runs on a second connection: its failure is the plan's, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import pytest
from psycopg2.extensions import cursor as Cursor

from roster_sync import apply, comparison, db, plan, staging
from roster_sync.errors import DatabaseFailure
from tests.engine.rosters import MemorySource, town
from tests.engine.world import World

LEFT = (
    "select count(*) from pg_class where relpersistence = 't' and relkind = 'r' and relnamespace = pg_my_temp_schema()"
)


def _staged(world: World) -> int:
    run_id = world.begin()
    staging.load(world.app, run_id, world.district, MemorySource(town()))
    return run_id


def _temporary_tables(world: World) -> int:
    with world.app, world.app.cursor() as cursor:
        cursor.execute(LEFT)
        return int(cursor.fetchall()[0][0])


def _is_free(world: World) -> bool:
    with closing(world.portal.owner()) as other, other.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(hashtextextended('roster district', %s))", (world.district_id,))
        return bool(cursor.fetchall()[0][0])


def test_a_plan_leaves_neither_its_lock_nor_a_temporary_table(world: World) -> None:
    plan.make(world.app, _staged(world), world.district)
    assert _is_free(world)
    assert _temporary_tables(world) == 0


def test_a_join_that_fails_fails_the_plan_and_the_next_try_succeeds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = _staged(world)
    run_file = db.run

    def fail(cursor: Cursor, name: str, params: Mapping[str, Any] | None = None) -> int:
        if name == "plan/join_enrollments":
            raise DatabaseFailure(name, "53200")
        return run_file(cursor, name, params)

    with monkeypatch.context() as patched:
        patched.setattr(db, "run", fail)
        with pytest.raises(DatabaseFailure, match="53200"):
            plan.make(world.app, run_id, world.district)
    assert _is_free(world)
    assert _temporary_tables(world) == 0
    assert world.value("select count(*) from staging.plan where run_id = %s", run_id) == 0

    assert plan.make(world.app, run_id, world.district) == "apply"
    assert apply.apply(world.app, run_id, world.district) == "launched"
    assert world.enrolled("c-t1")


def test_a_district_is_planned_by_one_run_at_a_time(world: World) -> None:
    run_id = _staged(world)
    with closing(world.portal.owner()) as other, other.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(hashtextextended('roster district', %s))", (world.district_id,))
        with world.app, world.app.cursor() as waiting:
            waiting.execute("set lock_timeout = '100ms'")
        with pytest.raises(DatabaseFailure, match="55P03"):
            plan.make(world.app, run_id, world.district)
    with world.app, world.app.cursor() as waiting:
        waiting.execute("reset lock_timeout")
    assert plan.make(world.app, run_id, world.district) == "apply"


def test_a_plan_in_one_transaction_comes_to_the_same(world: World) -> None:
    """The apply step plans again under its lock, where a second connection would see nothing."""
    world.run(town().without("b4", "c-t4"))
    run_id = _staged(world)
    plan.make(world.app, run_id, world.district)
    rows = "select entity, action, role from staging.plan where run_id = %s order by 1, 2, 3"
    beside = world.rows(rows, run_id)
    with db.acting_as(world.app, "roster_edit") as cursor:
        comparison.compare(cursor, plan.run_params(cursor, run_id, world.district))
    assert world.rows(rows, run_id) == beside != []
