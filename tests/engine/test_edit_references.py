"""What enrollments and memberships name is there, whoever writes them: people, a run, an undo or a merge."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest

from roster_sync.database import db
from roster_sync.engine import apply
from roster_sync.engine.planning import plan
from roster_sync.engine.planning.context import PlanContext
from roster_sync.feed import staging
from tests.dsl.roster import MemorySource, town
from tests.dsl.world import World

NOBODY = 999_999_999


@pytest.mark.parametrize(("statement", "message"), [
    ("insert into portal.enrollments (district_id, class_id, user_id, role) select district_id, id, {nobody}, 'student'"
     " from portal.classes limit 1", "names a user"),
    ("insert into portal.enrollments (district_id, class_id, user_id, role) select district_id, {nobody}, id, 'student'"
     " from portal.users limit 1", "names a class"),
    ("insert into portal.enrollments (district_id, class_id, user_id, role) select {nobody}, c.id, u.id, 'student'"
     " from portal.users u, portal.classes c limit 1", "names a class"),
    ("insert into portal.user_schools (user_id, school_id) select {nobody}, id from portal.schools limit 1",
     "names a user"),
    ("insert into portal.user_schools (user_id, school_id) select id, {nobody} from portal.users limit 1",
     "names a school"),
    ("insert into portal.users (district_id, role) values ({nobody}, 'teacher')", "names a district"),
    ("insert into portal.classes (district_id, school_id) select district_id, {nobody} from portal.schools limit 1",
     "names a school"),
    ("insert into portal.classes (district_id, school_id) select {nobody}, id from portal.schools limit 1",
     "names a district"),
    ("update portal.classes set school_id = {nobody}", "names a school"),
    ("delete from portal.schools where id in (select school_id from portal.classes)", "school that has classes"),
])  # fmt: skip
def test_by_hand_nothing_comes_to_name_what_is_not_there(world: World, statement: str, message: str) -> None:
    world.run(town())
    with pytest.raises(psycopg2.errors.ForeignKeyViolation, match=message):
        world.do(statement.format(nobody=NOBODY))


@pytest.mark.parametrize("table", ["schools", "classes", "users"])
def test_an_id_that_others_name_is_never_changed(world: World, table: str) -> None:
    world.run(town())
    with pytest.raises(psycopg2.errors.RaiseException, match=f"the keys of {table} are not changed"):
        world.do(f"update portal.{table} set id = id + 1000")  # noqa: S608


def test_a_district_that_only_classes_name_is_not_deleted(world: World) -> None:
    world.run(town())
    other = world.value("insert into portal.districts (key, name) values ('lake', 'Lake') returning id")
    world.do("update portal.classes set district_id = %s where source_id = 'c-t1'", other)
    with pytest.raises(psycopg2.errors.ForeignKeyViolation, match="has users or classes"):
        world.do("delete from portal.districts where id = %s", other)


def _planned(world: World) -> int:
    """A run that would enroll a known person anew, planned and not yet applied."""
    world.run(town().without("b4"))
    roster = town().enroll("c-t2", "a1")
    run_id = world.begin()
    staging.load(world.app, run_id, world.district, MemorySource(roster))
    plan.make(world.app, run_id, world.district)
    return run_id


def test_who_is_deleted_between_plan_and_apply_is_not_enrolled(world: World) -> None:
    run_id = _planned(world)
    gone = world.person("a1")["id"]
    world.do("delete from portal.users where id = %s", gone)
    assert apply.apply(world.app, run_id, world.district) == "launched"
    assert world.value("select count(*) from portal.enrollments where user_id = %s", gone) == 0
    assert world.person("a1")["id"] != gone  # planned again: the feed still shares them, so they are new


def test_a_class_does_not_come_into_a_school_that_was_deleted_between_plan_and_apply(world: World) -> None:
    world.run(town().without("c-t1"))
    run_id = world.begin()
    staging.load(world.app, run_id, world.district, MemorySource(town()))
    plan.make(world.app, run_id, world.district)
    gone = world.school("S1")["id"]
    world.do("delete from portal.classes where school_id = %s", gone)
    world.do("delete from portal.schools where id = %s", gone)
    assert apply.apply(world.app, run_id, world.district) == "launched"
    assert world.school("S1")["id"] != gone  # planned again: the feed still shares it, so it is new
    assert world.class_("c-t1")["school_id"] == world.school("S1")["id"]


def test_the_school_of_a_class_that_a_run_adds_nobody_deletes_before_it_is_committed(world: World) -> None:
    world.run(town().without("c-t1"))
    run_id = world.begin()
    staging.load(world.app, run_id, world.district, MemorySource(town()))
    plan.make(world.app, run_id, world.district)
    with db.acting_as(world.app, "roster_edit") as cursor:
        context = PlanContext.load(cursor, run_id, world.district)
        named = context.binds(phases=["adds"], **db.exactly_one(cursor, "apply/transaction"))
        db.one(cursor, "apply/references", named)
        db.run(cursor, "apply/hold_references", named)
        with closing(world.database.owner()) as other, other.cursor() as another:
            another.execute("set lock_timeout = '100ms'")
            with pytest.raises(psycopg2.errors.LockNotAvailable):
                another.execute("select from portal.schools where source_id = 'S1' for update")


def test_whom_a_run_enrols_nobody_deletes_before_it_is_committed(world: World) -> None:
    run_id = _planned(world)
    with db.acting_as(world.app, "roster_edit") as cursor:
        context = PlanContext.load(cursor, run_id, world.district)
        named = context.binds(phases=["adds"], **db.exactly_one(cursor, "apply/transaction"))
        found = db.one(cursor, "apply/references", named)
        # b4, who comes with this run, is enrolled and listed; both lines, and that of a1, name what was there before
        assert found == {"missing": 2, "older": 3}
        db.run(cursor, "apply/hold_references", named)
        with closing(world.database.owner()) as other, other.cursor() as another:
            another.execute("set lock_timeout = '100ms'")
            with pytest.raises(psycopg2.errors.LockNotAvailable):
                another.execute("delete from portal.users where source_id = 'a1'")


def test_a_merge_refuses_to_move_an_enrollment_to_someone_who_is_gone(world: World) -> None:
    ran = world.run(town())
    world.do(
        "insert into sync.changes (run_id, table_name, key, action) values"
        " (%s, 'enrollments', jsonb_build_object('class_id', %s, 'user_id', %s, 'role', 'student'), 'insert')",
        ran.id, world.class_("c-t1")["id"], NOBODY,
    )  # fmt: skip
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        world.do("select portal.check_references_of_run(%s)", ran.id)


def test_an_undo_refuses_to_put_a_class_back_into_a_school_that_is_gone(world: World) -> None:
    ran = world.run(town())
    world.do(
        "insert into sync.changes (run_id, table_name, key, action, after) values"
        " (%s, 'classes', jsonb_build_object('id', 1), 'insert', jsonb_build_object('school_id', %s))",
        ran.id, NOBODY,
    )  # fmt: skip
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        world.do("select portal.check_references_of_run(%s)", ran.id)
