"""A run whose task is cleared days later writes over nothing newer; what people decide before a run writes counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from roster_sync.core.errors import SyncRefused
from roster_sync.engine import runs
from tests.dsl.roster import MemorySource, Roster
from tests.dsl.world import World
from tests.engine.schools import ask, less, many, people


def fail_on_monday(harbor: World) -> int:
    """A Reset that would delete x0, planned, and not written because the database was full; returns its run."""
    harbor.edit(many())
    harbor.edit(many().student("late", "north"))
    harbor.begin("reset", max_deleted_percent=100)
    assert harbor.load_and_plan(less(many().student("late", "north"), 1)) == "apply"
    runs.close(harbor.app, harbor.run_id, "failed", "PostgreSQL refused include/sql/reset/delete.sql (SQLSTATE 53100).")
    return harbor.run_id


def clear_apply(harbor: World, run_id: int) -> str:
    """Airflow runs `start` again with any task of a run that is cleared, and then that task."""
    names = "select mode, airflow_dag_id, airflow_run_id from sync.runs where id = %(r)s"
    mode, dag_id, airflow_run_id = harbor.tuples(names, r=run_id)[0]
    request = runs.RunRequest(mode, "manual", "Pat Planner", dag_id, airflow_run_id)
    assert runs.begin(harbor.app, harbor.district, request, is_alive=lambda *_: False) == run_id
    harbor.run_id = run_id
    return harbor.write()


LATER: dict[str, Callable[[World], str]] = {
    "an Edit that wrote": lambda harbor: harbor.edit(many().student("late", "north").student("new", "north")),
    "a quiet Edit": lambda harbor: harbor.edit(many().student("late", "north")),
    "an Edit on hold": lambda harbor: harbor.edit(less(many(), 30)),
    "a Reset on hold": lambda harbor: harbor.ask_to_reset(less(many(), 30)),
    "an Undo": lambda harbor: harbor.undo(),
}


@pytest.mark.parametrize("later", LATER)
def test_a_reset_that_is_cleared_after_a_later_run_deletes_nobody_who_came_back(harbor: World, later: str) -> None:
    monday = fail_on_monday(harbor)
    LATER[later](harbor)
    tuesday, before = harbor.run_id, harbor.snapshot(())
    with pytest.raises(SyncRefused, match=rf"A later run \({tuesday}\) replaced this one.* Start a new sync"):
        clear_apply(harbor, monday)
    assert harbor.snapshot(()) == before


def test_the_question_of_a_later_run_stays_where_a_task_of_an_older_one_is_cleared(harbor: World) -> None:
    monday = fail_on_monday(harbor)
    assert harbor.ask_to_reset(less(many(), 30)) == "held"
    tuesday = harbor.run_id
    with pytest.raises(SyncRefused):
        clear_apply(harbor, monday)
    harbor.run_id = tuesday
    assert harbor.answer()


def preview(harbor: World) -> None:
    assert harbor.ask_to_reset(many(), preview_only=True) == "previewed"


def failed(harbor: World) -> None:
    harbor.begin("edit")
    harbor.load_and_plan(many())
    runs.close(harbor.app, harbor.run_id, "failed", "The database was full again.")


def quiet_events(harbor: World) -> None:
    assert harbor.edit(MemorySource(Roster(), adds_only="Only events were read."), events=True) == "launched"


@pytest.mark.parametrize("later", [preview, failed, quiet_events])
def test_what_was_not_carried_out_takes_no_runs_place(harbor: World, later: Callable[[World], None]) -> None:
    monday = fail_on_monday(harbor)
    later(harbor)
    assert clear_apply(harbor, monday) == "launched"
    assert "x0" not in people(harbor)


def test_an_approval_is_carried_out_whatever_was_previewed_since(harbor: World) -> None:
    ask(harbor)
    asked = harbor.run_id
    preview(harbor)
    harbor.run_id = asked
    harbor.answer()
    assert harbor.go_on_after_approval(less(many(), 2).without_school("south")) == "launched"


# --- What people decide between plan and apply ---


@pytest.mark.parametrize("role", ["district_admin", "school_admin"])
def test_a_role_that_a_person_gave_between_plan_and_apply_keeps_who_has_it(harbor: World, role: str) -> None:
    harbor.edit(many().teacher("t9", "north"))
    harbor.begin("reset", max_deleted_percent=100)
    assert harbor.load_and_plan(many()) == "apply"
    harbor.do("update portal.users set role = %(r)s where source_id = 't9'", r=role)
    assert harbor.write() == "launched"
    assert harbor.tuples("select role, is_shared from portal.users where source_id = 't9'") == [(role, False)]


@pytest.mark.parametrize("role", ["school_admin", "teacher"])
def test_who_is_put_into_a_school_that_stays_between_plan_and_apply_is_kept_with_it(harbor: World, role: str) -> None:
    harbor.edit(many())
    by_hand = harbor.add_by_hand(role, "south")
    harbor.begin("reset", max_deleted_percent=100)
    assert harbor.load_and_plan(many().without_school("south")) == "apply"
    harbor.join(by_hand, harbor.id_of("schools", "north"))
    assert harbor.write() == "launched"
    stands = "select s.source_id from portal.user_schools us join portal.schools s on s.id = us.school_id"
    assert harbor.tuples(stands + " where us.user_id = %(u)s", u=by_hand) == [("north",)]


def test_who_was_made_by_hand_goes_with_the_last_of_their_schools_as_planned(harbor: World) -> None:
    harbor.edit(many())
    by_hand = harbor.add_by_hand("school_admin", "south")
    harbor.begin("reset", max_deleted_percent=100)
    assert harbor.load_and_plan(many().without_school("south")) == "apply"
    assert harbor.write() == "launched"
    assert harbor.value("select count(*) from portal.users where id = %(u)s", u=by_hand) == 0
