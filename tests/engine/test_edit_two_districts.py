"""Districts are synced at the same time: no run waits for another one, nor locks the parts of its feed and plan."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from psycopg2.extensions import cursor as Cursor

from roster_sync.core.errors import DatabaseFailure
from roster_sync.database import db
from roster_sync.engine import apply, undo
from roster_sync.engine.planning import comparison, decision, plan
from roster_sync.feed import staging
from tests.dsl.roster import MemorySource, delta, town
from tests.dsl.world import World

LOCKED = (
    "select c.relname from pg_locks l join pg_class c on c.oid = l.relation"
    " where l.pid = %s and c.relnamespace = 'staging'::regnamespace"
)


@pytest.fixture
def locked(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Each file of SQL after which a part of another district's run was locked."""
    elsewhere = world.elsewhere("brook")
    elsewhere.run(town())
    others = f"_{elsewhere.run(town().without('a1')).id}(_|$)"
    found: set[str] = set()
    run_file = db.run
    one_at_a_time = threading.Lock()  # half a plan is done on a thread of its own
    with closing(world.database.owner()) as owner, owner.cursor() as watching:

        def run(cursor: Cursor, name: str, params: Mapping[str, Any] | None = None) -> int:
            count = run_file(cursor, name, params)
            with one_at_a_time:
                watching.execute(LOCKED, (cursor.connection.info.backend_pid,))
                if any(re.search(others, table) for (table,) in watching.fetchall()):
                    found.add(name)
            return count

        monkeypatch.setattr(db, "run", run)
        yield found


CHANGED = town().with_("a1", given_name="Ada").with_("c-t1", title="New").without("b1").student("n1", "S1")
NO_LIMIT = {"mode": "reset", "max_deleted_percent": 100}


def _held_and_approved(world: World) -> None:
    world.run(town())
    world.approve(world.run(town().without("a1", "a2", "b1", "b2", "b3", "b4")).id)


def _undone(world: World) -> None:
    world.run(town())
    target = world.run(town().without("a1", "c-t4"), **NO_LIMIT).id
    undo.undo(world.app, world.begin(mode="undo"), world.district, target)


def _planned_again(world: World) -> None:
    world.run(town())
    run_id = world.begin()
    staging.load(world.app, run_id, world.district, MemorySource(CHANGED))
    plan.make(world.app, run_id, world.district)
    world.do("delete from portal.users where source_id = 'a1'")
    assert apply.apply(world.app, run_id, world.district) == "launched"


RUNS: dict[str, Callable[[World], Any]] = {
    "first": lambda world: world.run(town()),
    "quiet": lambda world: (world.run(town()), world.run(town())),
    "changed": lambda world: (world.run(town()), world.run(CHANGED)),
    "reset": lambda world: (world.run(town()), world.run(CHANGED, **NO_LIMIT)),
    "previewed": lambda world: (world.run(town()), world.run(CHANGED, preview_only=True)),
    "delta": lambda world: (world.run(town()), world.run(delta(CHANGED))),
    "between terms": lambda world: (world.run(town()), world.run(town().without_all("classes", "enrollments"))),
    "another issuer": lambda world: (world.run(town()), world.run(MemorySource(town().all_renamed(), "memory:two"))),
    "held, then approved": _held_and_approved,
    "undone": _undone,
    "planned again": _planned_again,
}


@pytest.mark.parametrize("kind", RUNS)
def test_a_run_locks_no_part_of_another_run(world: World, locked: set[str], kind: str) -> None:
    RUNS[kind](world)
    assert locked == set()


def _at_once(world: World, work: Callable[[World], str]) -> list[str]:
    """What becomes of it in two districts at the same time."""
    came: list[str] = []

    def do(key: str) -> None:
        with closing(world.database.connect()) as app, closing(world.database.owner()) as owner:
            try:
                came.append(work(replace(world, app=app, owner=owner, district=replace(world.district, key=key))))
            except DatabaseFailure as failure:
                came.append(str(failure))

    threads = [threading.Thread(target=do, args=(key,)) for key in ("north", "south")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return came


def test_two_districts_are_planned_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)
    decide = decision.decide

    def meet(*values: Any) -> decision.Decision:
        both.wait(20)
        return decide(*values)

    monkeypatch.setattr(plan, "decide", meet)

    def work(district: World) -> str:
        run_id = district.begin()
        staging.load(district.app, run_id, district.district, MemorySource(town()))
        return plan.make(district.app, run_id, district.district)

    assert _at_once(world, work) == ["apply", "apply"]


def test_two_districts_are_planned_again_at_once_by_their_apply_steps(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2)
    join = comparison.join

    def work(district: World) -> str:
        district.run(town())
        run_id = district.begin()
        staging.load(district.app, run_id, district.district, MemorySource(CHANGED))
        plan.make(district.app, run_id, district.district)
        district.do("delete from portal.users where source_id = 'a1' and district_id = %s", district.district_id)
        both.wait(20)
        monkeypatch.setattr(comparison, "join", lambda *values: (both.wait(20), join(*values))[1])
        return apply.apply(district.app, run_id, district.district)

    assert _at_once(world, work) == ["launched", "launched"]
