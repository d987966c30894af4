"""An Edit whose task is cleared after a later night does not bring the older feed back."""

from __future__ import annotations

from contextlib import closing

import pytest

from roster_sync.core.errors import DatabaseFailure, SyncRefused
from roster_sync.engine import apply, runs
from roster_sync.engine.planning import plan
from roster_sync.feed import staging
from tests.dsl.roster import MemorySource, Roster, town
from tests.dsl.world import World


def plan_only(world: World, feed: Roster) -> int:
    """A night that ends before it writes."""
    run_id = world.begin(airflow_run_id="monday")
    staging.load(world.app, run_id, world.district, MemorySource(feed))
    assert plan.make(world.app, run_id, world.district) == "apply"
    runs.close(world.app, run_id, "failed", "PostgreSQL refused include/sql/apply/users.sql (SQLSTATE 53100).")
    return run_id


@pytest.mark.parametrize("tuesday", [town(), town().student("a9", "S1")], ids=["quiet", "wrote"])
def test_a_night_that_is_cleared_after_a_later_one_takes_nobody_out_of_sight(world: World, tuesday: Roster) -> None:
    world.run(town())
    monday = plan_only(world, town().without("a1"))
    assert world.run(tuesday).status == "launched"
    before = world.versions()
    assert world.begin(airflow_run_id="monday") == monday
    with pytest.raises(SyncRefused, match="later run") as refused:
        apply.apply(world.app, monday, world.district)
    assert refused.value.status == "failed"
    assert world.versions() == before


def test_a_later_night_that_was_not_planned_again_by_the_id_of_someone_new_is_refused_as_well(world: World) -> None:
    """An id that the later night took would have the older one planned again, from its own feed."""
    world.run(town())
    monday = plan_only(world, town().student("a9", "S1").without("a1"))
    assert world.run(town().student("a9", "S1")).status == "launched"
    world.begin(airflow_run_id="monday")
    with pytest.raises(SyncRefused, match="later run"):
        apply.apply(world.app, monday, world.district)
    assert world.person("a1")["is_shared"]


def test_a_night_that_is_cleared_before_any_later_one_goes_on(world: World) -> None:
    world.run(town())
    monday = plan_only(world, town().without("a1"))
    world.begin(airflow_run_id="monday")
    assert apply.apply(world.app, monday, world.district) == "launched"
    assert not world.person("a1")["is_shared"]


def test_an_approved_run_goes_on_only_when_a_run_that_begins_has_begun(world: World) -> None:
    """Else both see no other at work: the answer is carried out although the new run takes the question's place."""
    world.run(town())
    held = world.run(town().without("a1", "a2", "b1", "b2", "b3", "b4"))
    assert held.status == "held"
    assert world.answer("approved", run=held.id)
    with closing(world.database.owner()) as other, other.cursor() as beginning:
        beginning.execute("select pg_advisory_lock(hashtextextended('roster begin', %s))", (world.district_id,))
        with world.app, world.app.cursor() as waiting:
            waiting.execute("set lock_timeout = '100ms'")
        with pytest.raises(DatabaseFailure, match="55P03"):
            world.carry_out(held.id)
        with world.app, world.app.cursor() as waiting:
            waiting.execute("reset lock_timeout")
    assert world.carry_out(held.id).status == "launched"
