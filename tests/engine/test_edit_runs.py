"""A run's life: one at a time, none open for ever, found again when repeated, refused where it must be."""

from __future__ import annotations

import threading
from datetime import timedelta

import psycopg2
import pytest

from roster_sync.core.errors import SyncRefused
from roster_sync.engine import runs
from tests.dsl.roster import MemorySource, town
from tests.dsl.world import World


def _statuses(world: World) -> list[str]:
    return [row["status"] for row in world.rows("select status from sync.runs order by id")]


# -- expiry -----------------------------------------------------------------------------------------------------------


def _expire(world: World, days: int) -> None:
    """The district's own day, so many days from today."""
    today = world.value("select (now() at time zone %s)::date", world.district.timezone)
    world.do("update sync.settings set expires_on = %s, updated_at = now()", today + timedelta(days=days))


def test_valid_through_expires_on_in_the_districts_time_zone(world: World) -> None:
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12", "America/Chicago"):  # a day apart from each other
        world.registry(timezone=zone)
        runs.close(world.app, world.begin(), "launched", None)
        _expire(world, 0)
        runs.close(world.app, world.begin(), "launched", None)
        _expire(world, -1)
        with pytest.raises(SyncRefused) as refused:
            world.begin()
        assert refused.value.status == "expired"
        world.do("update sync.settings set expires_on = null")


def test_expired_an_edit_is_refused_and_changes_nothing(world: World) -> None:
    world.run(town())
    _expire(world, -1)
    before = world.versions()
    with pytest.raises(SyncRefused, match="expired"):
        world.run(town().student("n1", "S1"))
    assert world.versions() == before
    assert _statuses(world)[-1] == "expired"


def test_expired_is_recorded_once_not_every_night(world: World) -> None:
    world.run(town(), trigger="nightly")
    _expire(world, -1)
    for _ in range(3):
        with pytest.raises(SyncRefused):
            world.begin(trigger="nightly")
    assert _statuses(world) == ["launched", "expired"]
    _expire(world, 30)
    world.run(town(), trigger="nightly")
    _expire(world, -1)
    with pytest.raises(SyncRefused):
        world.begin(trigger="nightly")
    assert _statuses(world) == ["launched", "expired", "launched", "expired"]


def test_no_date_means_never(world: World) -> None:
    world.run(town())
    assert world.value("select expires_on from sync.settings") is None
    assert world.run(town()).status == "launched"


# -- one at a time ----------------------------------------------------------------------------------------------------


def test_one_open_run_a_district_whoever_started_it(world: World) -> None:
    first = world.begin(trigger="nightly")
    with pytest.raises(SyncRefused, match=f"run {first}") as refused:
        world.begin(is_alive=lambda *_: True)
    assert refused.value.status == "skipped"
    assert _statuses(world) == ["in_progress", "skipped"]
    with pytest.raises(psycopg2.errors.UniqueViolation):
        world.do("insert into sync.runs (district_id, mode) values (%s, 'reset')", world.district_id)


def test_another_district_may_run_at_the_same_time(world: World) -> None:
    world.begin()
    other = world.elsewhere("glen")
    assert other.begin(is_alive=lambda *_: True)
    assert _statuses(world) == ["in_progress", "in_progress"]


def test_a_run_whose_airflow_run_is_dead_is_closed_as_failed_by_the_next(world: World) -> None:
    dead = world.begin(airflow_run_id="dead")
    asked: list[tuple[str, str]] = []

    def is_alive(dag_id: str, run_id: str) -> bool:
        asked.append((dag_id, run_id))
        return False

    world.begin(is_alive=is_alive)
    assert asked == [("roster_sync__brook", "dead")]
    row = world.row("select status, finished_at, message from sync.runs where id = %s", dead)
    assert row["status"] == "failed"
    assert row["finished_at"] is not None
    assert "no longer alive" in row["message"]


def test_an_open_run_without_an_airflow_run_is_closed_too(world: World) -> None:
    world.run(town())
    world.do("insert into sync.runs (district_id, mode, trigger) values (%s, 'edit', 'manual')", world.district_id)
    world.begin(is_alive=lambda *_: True)
    assert _statuses(world) == ["launched", "failed", "in_progress"]


def test_two_runs_that_begin_at_the_same_moment_one_wins(world: World) -> None:
    world.run(town())
    outcomes: list[str] = []

    def begin(number: int) -> None:
        with psycopg2.connect(world.database.dsn_app) as connection:
            request = runs.RunRequest("edit", "manual", "someone", "roster_sync__brook", f"race-{number}")
            try:
                runs.begin(connection, world.district, request, is_alive=lambda *_: True)
                outcomes.append("begun")
            except SyncRefused as refused:
                outcomes.append(refused.status)
        connection.close()

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["begun", "skipped", "skipped", "skipped"]


def test_a_repeated_airflow_run_finds_its_row(world: World) -> None:
    first = world.begin(airflow_run_id="same")
    assert world.begin(airflow_run_id="same", is_alive=lambda *_: True) == first
    assert world.go_on(first, MemorySource(town())).status == "launched"
    before = world.versions()
    assert world.begin(airflow_run_id="same") == first
    assert world.go_on(first, MemorySource(town())).status == "launched"
    assert world.versions() == before
    assert _statuses(world) == ["launched"]
    assert world.counts(world.ran(first), "students")["added"] == 8


def test_each_task_of_a_run_may_be_repeated(world: World) -> None:
    from roster_sync.engine import apply
    from roster_sync.engine.planning import plan
    from roster_sync.feed import staging

    run_id = world.begin()
    for _ in range(2):
        staging.load(world.app, run_id, world.district, MemorySource(town()))
    for _ in range(2):
        plan.make(world.app, run_id, world.district)
    apply.apply(world.app, run_id, world.district)
    assert len(world.ids("users")) == 12
    assert world.counts(world.ran(run_id), "students") == {"received": 8, "added": 8}


def test_a_failure_closes_an_open_run_and_leaves_one_that_ended_alone(world: World) -> None:
    first = world.begin()
    assert runs.fail_if_open(world.app, first, "It broke.") is True
    assert world.ran(first).status == "failed"
    ran = world.run(town())
    assert runs.fail_if_open(world.app, ran.id, "It broke.") is False
    assert world.ran(ran.id).status == "launched"


def test_a_run_whose_last_tasks_are_cleared_ends_as_it_had(world: World) -> None:
    """Airflow runs the setup again whenever any task is cleared."""
    ran = world.run(town(), airflow_run_id="night")
    for steps in ((), ("notify",)):
        assert world.begin(airflow_run_id="night", is_alive=lambda *_: True) == ran.id
        for step in steps:
            with runs.step(world.app, ran.id, step):
                assert world.ran(ran.id).status == "launched"
        assert runs.fail_if_open(world.app, ran.id, "It broke.") is False
        assert world.ran(ran.id) == ran


def test_a_run_that_is_read_again_and_stops_has_failed_however_it_had_ended(world: World) -> None:
    ran = world.run(town(), airflow_run_id="night")
    world.begin(airflow_run_id="night", is_alive=lambda *_: True)
    with runs.step(world.app, ran.id, "extract"):
        pass
    assert runs.fail_if_open(world.app, ran.id, "It broke.") is True
    assert world.ran(ran.id).status == "failed"


def test_launched_also_when_nothing_was_to_change(world: World) -> None:
    world.run(town())
    ran = world.run(town())
    assert ran.status == "launched"
    row = world.row("select * from sync.runs where id = %s", ran.id)
    assert row["finished_at"] is not None
    assert row["wrote_at"] is None


def test_a_run_keeps_who_when_why_and_from_where(world: World) -> None:
    ran = world.run(MemorySource(town(), revision="rev-7"), trigger="manual", preview_only=False)
    row = world.row("select * from sync.runs where id = %s", ran.id)
    assert (row["mode"], row["trigger"], row["started_by"], row["issuer"]) == (
        "edit", "manual", "Pat Planner", "memory:one")  # fmt: skip
    assert row["source_revision"] == "rev-7"
    assert row["parameters"] == {"preview_only": False}
    assert row["is_complete_feed"] is True


# -- what a run keeps of what it did ----------------------------------------------------------------------------------


def test_added_rows_bear_the_run_and_changed_rows_keep_their_before_image(world: World) -> None:
    first = world.run(town())
    second = world.run(town().with_("a1", family_name="Changed").without("a2").with_("t1", status="tobedeleted"))
    assert world.value("select count(*) from portal.users where created_run_id = %s", first.id) == 12
    assert world.value("select count(*) from sync.changes where run_id = %s", first.id) == 0
    changes = {(row["table_name"], row["action"], row["phase"]): row for row in world.rows(
        "select * from sync.changes where run_id = %s order by id", second.id)}  # fmt: skip
    update = changes["users", "update", "adds"]
    assert update["key"] == {"id": world.person("a1")["id"]}
    assert (update["before"], update["after"]) == ({"family_name": "Family-a1"}, {"family_name": "Changed"})
    assert ("users", "unshare", "removals") in changes
    assert ("enrollments", "end", "removals") in changes
    assert ("user_schools", "end", "removals") in changes
    assert world.value("select count(*) from sync.changes where run_id = %s and action = 'delete'", second.id) == 0


def test_the_days_of_a_person_are_reported_by_every_id_they_were_known_by(world: World) -> None:
    first = world.run(town())
    second = world.run(town().renamed({"a1": "n1"}))
    row_id = world.person("n1")["id"]
    ids = {row["source_id"]: row["first_seen_run_id"] for row in world.rows(
        "select * from sync.source_ids where entity = 'users' and row_id = %s", row_id)}  # fmt: skip
    assert ids == {"a1": first.id, "n1": second.id}


def test_a_portal_that_changes_between_plan_and_apply_is_planned_again(world: World) -> None:
    from roster_sync.engine import apply
    from roster_sync.engine.planning import plan
    from roster_sync.feed import staging

    world.run(town().without("a1"))
    run_id = world.begin()
    staging.load(world.app, run_id, world.district, MemorySource(town()))
    assert plan.make(world.app, run_id, world.district) == "apply"
    # the portal's own application takes the id meanwhile
    world.do("insert into portal.users (district_id, issuer, source_id, role, origin) values (%s, 'memory:one', 'a1',"
             " 'student', 'sync')", world.district_id)  # fmt: skip
    assert apply.apply(world.app, run_id, world.district) == "launched"
    assert world.enrolled("c-t1")["a1"] is True


def test_a_manual_enrollment_that_comes_between_plan_and_apply_stays_manual(world: World) -> None:
    from roster_sync.engine import apply
    from roster_sync.engine.planning import plan
    from roster_sync.feed import staging

    world.run(town())
    run_id = world.begin()
    staging.load(world.app, run_id, world.district, MemorySource(town().enroll("c-t1", "b1")))
    plan.make(world.app, run_id, world.district)
    world.do("insert into portal.enrollments (district_id, class_id, user_id, role) values (%s, %s, %s, 'student')",
             world.district_id, world.class_("c-t1")["id"], world.person("b1")["id"])  # fmt: skip
    assert apply.apply(world.app, run_id, world.district) == "launched"
    assert world.enrollment("c-t1", "b1")["origin"] == "manual"


def test_readers_never_see_a_half_applied_run(world: World) -> None:
    """One transaction: what a second connection sees changes once, from nothing to everything."""
    from roster_sync.database import db
    from roster_sync.engine import apply
    from roster_sync.engine.planning import plan
    from roster_sync.feed import staging

    run_id = world.begin()
    staging.load(world.app, run_id, world.district, MemorySource(town()))
    plan.make(world.app, run_id, world.district)
    seen: list[int] = []
    original = db.run

    def watching(cursor: object, name: str, params: object = None) -> int:
        seen.append(len(world.ids("users")) + len(world.ids("schools")))
        return original(cursor, name, params)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "run", watching)
        apply.apply(world.app, run_id, world.district)
    assert len(seen) > 5
    assert set(seen) == {0}
    assert len(world.ids("users")) == 12


@pytest.mark.parametrize("status", ["launched", "held", "previewed"])
def test_a_run_that_ended_stays_as_it_ended_where_one_of_its_tasks_is_cleared_too_late(
    world: World, status: str
) -> None:
    run_id = world.begin(airflow_run_id="night")
    runs.close(world.app, run_id, status, "As it ended.")
    world.do("update sync.settings set expires_on = current_date - 9")
    with pytest.raises(SyncRefused, match="expired"):
        world.begin(airflow_run_id="night")
    assert (world.ran(run_id).status, world.ran(run_id).message) == (status, "As it ended.")
