"""Parallel steps: half a load or plan on a second connection. Its failure fails the whole, and nothing stays behind."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import pytest
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from roster_sync.core.errors import DatabaseFailure
from roster_sync.database import db
from roster_sync.engine import apply
from roster_sync.engine.planning import comparison, plan
from roster_sync.engine.planning.context import PlanContext
from roster_sync.feed import staging
from roster_sync.feed.copy_sink import CopySink, close_raw
from tests.dsl.roster import MemorySource, Roster, town
from tests.dsl.world import World

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


def _settings(cursor: Cursor) -> tuple[str, ...]:
    cursor.execute("select current_setting('work_mem'), current_setting('plan_cache_mode')")
    return tuple(cursor.fetchall()[0])


def _is_free(world: World) -> bool:
    with closing(world.database.owner()) as other, other.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(hashtextextended('roster district', %s))", (world.district_id,))
        return bool(cursor.fetchall()[0][0])


def test_a_plan_leaves_neither_its_lock_nor_a_temporary_table(world: World) -> None:
    plan.make(world.app, _staged(world), world.district)
    assert _is_free(world)
    assert _temporary_tables(world) == 0


@contextmanager
def _failing(monkeypatch: pytest.MonkeyPatch, file: str) -> Iterator[None]:
    """Every statement of that file fails as a database that is out of memory."""
    run_file = db.run

    def fail(cursor: Cursor, name: str, params: Mapping[str, Any] | None = None) -> int:
        if name == file:
            raise DatabaseFailure(name, "53200")
        return run_file(cursor, name, params)

    with monkeypatch.context() as patched:
        patched.setattr(db, "run", fail)
        with pytest.raises(DatabaseFailure, match="53200"):
            yield


def _tables_of(world: World, run_id: int) -> list[str]:
    """What the feed of a run landed in, and what was made of it and not taken over."""
    found = world.rows(
        "select relname from pg_class where relnamespace = 'staging'::regnamespace and relkind = 'r'"
        " and relname ~ '^(raw|made|sorted)' and relname like %s", f"%\\_{run_id}",
    )  # fmt: skip
    return [str(row["relname"]) for row in found]


def test_enrollments_that_cannot_be_taken_fail_the_load_and_the_next_try_succeeds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = world.begin()
    with _failing(monkeypatch, "staging/stage_enrollments"):
        staging.load(world.app, run_id, world.district, MemorySource(town()))
    assert _temporary_tables(world) == 0
    assert _tables_of(world, run_id) == []
    assert world.value("select issuer from sync.runs where id = %s", run_id) is None  # so that nobody can plan it

    staging.load(world.app, run_id, world.district, MemorySource(town()))
    assert _temporary_tables(world) == 0
    assert _tables_of(world, run_id) == []
    assert plan.make(world.app, run_id, world.district) == "apply"
    assert apply.apply(world.app, run_id, world.district) == "launched"
    assert world.enrolled("c-t1")


def test_what_a_killed_load_leaves_goes_with_its_run(world: World) -> None:
    run_id = world.begin()
    with db.acting_as(world.app, "roster_edit") as cursor:
        cursor.execute("select staging.open_run(%s), staging.open_raw(%s)", (run_id, run_id))
    assert len(_tables_of(world, run_id)) == 4
    with closing(world.database.owner()) as owner, owner.cursor() as cursor:
        cursor.execute("select staging.drop_run(%s)", (run_id,))
        owner.commit()
    assert _tables_of(world, run_id) == []


def test_of_a_column_that_is_not_mapped_one_byte_lands(world: World) -> None:
    run_id = world.begin()
    with db.acting_as(world.app, "roster_edit") as cursor:
        cursor.execute("select staging.open_run(%s), staging.open_raw(%s)", (run_id, run_id))
    with db.acting_as(world.app, "roster_edit") as cursor:
        sink = CopySink(cursor, run_id)
        rows = "u1,hunter2,x@people.example\nu2,,\n,,\n,\N{LATIN SMALL LETTER E WITH ACUTE}clair,\n"
        assert sink.copy_csv("users", ["source_id", None, "email"], io.BytesIO(rows.encode())) == 3
        assert sink.copy_csv("orgs", ["source_id", None], io.BytesIO(b"s1,a phone\n")) == 1
        table = sql.Identifier("staging", f"raw_users_{run_id}")
        cursor.execute(sql.SQL("select source_id, email, spare_1::text from {}").format(table))
        landed = cursor.fetchall()
        cursor.execute("select source_id, spare_1::text from raw_orgs")
        landed += cursor.fetchall()
        close_raw(cursor, run_id)
    assert landed[:2] == [("u1", "x@people.example", "h"), ("u2", None, None)]
    assert landed[2][0] is None
    assert landed[3] == ("s1", "a")


@pytest.mark.parametrize("file", ["plan/sort_enrollments", "plan/resolve_classes", "plan/join_enrollments"])
def test_half_a_plan_that_fails_fails_the_plan_and_the_next_try_succeeds(
    world: World, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    run_id = _staged(world)
    with _failing(monkeypatch, file):
        plan.make(world.app, run_id, world.district)
    assert _is_free(world)
    assert _temporary_tables(world) == 0
    assert world.value("select count(*) from staging.plan where run_id = %s", run_id) == 0

    assert plan.make(world.app, run_id, world.district) == "apply"
    assert _tables_of(world, run_id) == []
    assert apply.apply(world.app, run_id, world.district) == "launched"
    assert world.enrolled("c-t1")


def test_what_a_killed_plan_has_sorted_goes_with_its_run(world: World) -> None:
    run_id = _staged(world)
    with db.acting_as(world.app, "roster_edit") as cursor:
        comparison.sort(cursor, PlanContext.load(cursor, run_id, world.district))
    assert _tables_of(world, run_id) == [f"sorted_enrollments_{run_id}"]
    with closing(world.database.owner()) as owner, owner.cursor() as cursor:
        cursor.execute("select staging.drop_run(%s)", (run_id,))
        owner.commit()
    assert _tables_of(world, run_id) == []


def _first_plan(world: World, source: MemorySource, *, is_sorted: bool) -> list[dict[str, Any]]:
    """What a run on that roster would enroll, by the source's ids, as new rows get other ids each time."""
    run_id = world.begin()
    staging.load(world.app, run_id, world.district, source)
    with db.acting_as(world.app, "roster_edit") as cursor:
        context = PlanContext.load(cursor, run_id, world.district)
        if is_sorted:
            comparison.sort(cursor, context)
        comparison.compare(cursor, context)
    return world.rows(
        "select c.source_id as class, u.source_id as person, p.role, p.is_primary, p.begins_on, p.ends_on, p.action"
        " from staging.plan p"
        " join staging.resolved c on c.run_id = p.run_id and c.entity = 'classes' and c.row_id = p.class_id"
        " join staging.resolved u on u.run_id = p.run_id and u.entity = 'users' and u.row_id = p.user_id"
        " where p.run_id = %s and p.entity = 'enrollments' order by 1, 2, 3, 4, 5, 6", run_id,
    )  # fmt: skip


@pytest.mark.parametrize("roster", [
    town(),
    town().enroll("c-t1", "a1").enroll("c-t1", "a1"),  # the same line more than once
    town().enroll("c-t1", "a1", role="teacher"),  # one person in two roles
], ids=["as it is", "a line repeated", "two roles"])  # fmt: skip
def test_a_first_load_plans_the_same_whether_its_enrollments_were_sorted_or_not(world: World, roster: Roster) -> None:
    source = MemorySource(roster)
    assert _first_plan(world, source, is_sorted=True) == _first_plan(world, source, is_sorted=False) != []


def test_where_two_rows_of_the_feed_are_one_known_person_a_line_comes_in_once(world: World) -> None:
    """The portal has the people and no enrollments: sorted by the feed's numbers, the two lines are not neighbors."""
    world.run(town())
    world.do("delete from portal.enrollments")
    broken = {"collection": "users", "rule": "ragged_line", "message": "Correct it at the source.", "source_id": "a1"}
    source = MemorySource(town(), rejects=(broken,))
    assert _first_plan(world, source, is_sorted=True) == _first_plan(world, source, is_sorted=False) != []


def test_a_district_is_planned_by_one_run_at_a_time(world: World) -> None:
    run_id = _staged(world)
    with closing(world.database.owner()) as other, other.cursor() as cursor:
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
        db.tune(cursor)
        before = _settings(cursor)
        comparison.compare(cursor, PlanContext.load(cursor, run_id, world.district))
        assert _settings(cursor) == before  # what the join sets for itself ends with it
    assert world.rows(rows, run_id) == beside != []
