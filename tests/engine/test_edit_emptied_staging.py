"""A server that crashed, or another one that took over, has every unlogged table empty: nothing is read from that."""

from __future__ import annotations

import pytest

from roster_sync.core.errors import SyncRefused
from roster_sync.engine import apply, runs
from roster_sync.engine.planning import plan
from roster_sync.feed import staging
from tests.dsl.roster import MemorySource, town
from tests.dsl.world import World

UNLOGGED = (
    "select string_agg(oid::regclass::text, ', ') from pg_class"
    " where relnamespace = 'staging'::regnamespace and relpersistence = 'u' and relkind = 'r'"
)
NO_LONGER_KEPT = "The feed of this run is no longer kept. Run the sync again."


def _crash(world: World) -> None:
    world.do(f"truncate {world.value(UNLOGGED)}")


def _loaded(world: World) -> int:
    run_id = world.begin()
    staging.load(world.app, run_id, world.district, MemorySource(town()))
    return run_id


@pytest.mark.parametrize("is_first", [True, False])
def test_a_feed_that_was_lost_before_it_was_planned_is_no_empty_one(world: World, is_first: bool) -> None:
    if not is_first:
        world.run(town())
    before = world.versions()
    run_id = _loaded(world)
    _crash(world)
    with pytest.raises(SyncRefused, match=NO_LONGER_KEPT):
        plan.make(world.app, run_id, world.district)
    assert world.versions() == before


def test_a_plan_that_was_lost_is_not_carried_out_as_an_empty_one(world: World) -> None:
    run_id = _loaded(world)
    plan.make(world.app, run_id, world.district)
    _crash(world)
    with pytest.raises(SyncRefused, match=NO_LONGER_KEPT):
        apply.apply(world.app, run_id, world.district)
    assert runs.status_of(world.app, run_id) == "in_progress"  # the DAG closes it as failed
    assert world.value("select count(*) from portal.users") == 0


def test_an_approval_of_what_was_lost_is_not_taken_for_carried_out(world: World) -> None:
    roster = town()
    roster.students("p", 20, "S1")
    world.run(roster)
    held = world.run(town())
    assert held.status == "held"
    _crash(world)
    ran = world.approve(held.id)
    assert (ran.status, ran.message) == ("failed", NO_LONGER_KEPT)
    assert world.value("select applied_at from sync.holds where run_id = %s", held.id) is None


def test_a_feed_in_which_nothing_is_enrolled_is_still_one(world: World) -> None:
    ran = world.run(town().without_all("classes", "enrollments"))
    assert ran.status == "launched"


def test_a_feed_of_which_nothing_in_a_collection_could_be_read_is_still_one(world: World) -> None:
    unread = {"collection": "classes", "rule": "ragged", "message": "This line could not be read.", "line": 2}
    ran = world.run(MemorySource(town().without_all("classes", "enrollments"), rejects=(unread,)))
    assert (ran.status, ran.message) == ("launched", "")
