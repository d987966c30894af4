"""A run that wrote and died before its worklist: the next one opens what it would have opened, once."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from roster_sync.engine import runs, worklist
from tests.dsl.rows_by_hand import World
from tests.engine.worklist.newcomers import newcomer, wrote


def told(world: World, app: Connection) -> None:
    """The run at work comes to the end of its `notify`."""
    with runs.step(app, world.run_id, "notify"):
        worklist.refresh(app, world.run_id)


def students(world: World) -> set[tuple[int, int]]:
    """Who needs books, and of which class."""
    return {(class_, student) for kind, student, class_ in world.open_items() if kind == "student_needs_books"}


def test_students_of_a_run_that_died_before_its_worklist_need_books_as_well(world: World, app: Connection) -> None:
    first = newcomer(world)
    wrote(world)
    world.begin()
    second = newcomer(world)
    wrote(world)
    world.begin()
    third = newcomer(world)
    told(world, app)
    assert students(world) == {first, second, third}


def test_a_student_who_came_back_in_such_a_run_needs_them_too(world: World, app: Connection) -> None:
    class_, student = newcomer(world, books=0)
    world.begin()
    world.rows("insert into portal.books (code, title) values ('b1', 'Book 1')")
    world.rows("insert into portal.class_books select %(class)s, id from portal.books", **{"class": class_})
    world.rows(
        "insert into sync.changes (run_id, table_name, key, action) values (%(run)s, 'enrollments',"
        " jsonb_build_object('class_id', %(class)s, 'user_id', %(user)s, 'role', 'student'), 'restore')",
        **{"user": student, "class": class_},
    )
    wrote(world)
    world.begin()
    told(world, app)
    assert students(world) == {(class_, student)}


def test_a_run_of_which_people_were_notified_is_not_looked_at_again(world: World, app: Connection) -> None:
    class_, _ = newcomer(world, books=0)
    wrote(world)
    told(world, app)
    world.rows("insert into portal.books (code, title) values ('b1', 'Book 1')")
    world.rows("insert into portal.class_books select %(class)s, id from portal.books", **{"class": class_})
    world.begin()
    told(world, app)
    assert students(world) == set()  # there before the class got books


def test_a_preview_reports_no_run(world: World, app: Connection) -> None:
    first = newcomer(world)
    wrote(world)
    world.begin(status="previewed")
    with runs.step(app, world.run_id, "notify"):
        pass
    world.begin()
    told(world, app)
    assert students(world) == {first}


def test_a_run_that_wrote_again_after_an_approval_and_died_then_is_caught_up(world: World, app: Connection) -> None:
    wrote(world)
    told(world, app)
    first = newcomer(world)
    wrote(world)
    world.begin()
    told(world, app)
    assert students(world) == {first}


def test_what_such_a_run_had_opened_and_a_person_closed_is_not_opened_again(world: World, app: Connection) -> None:
    newcomer(world)
    wrote(world)
    worklist.refresh(app, world.run_id)
    world.rows("update sync.worklist set resolved_at = now(), resolved_by = 'Lee', resolution = 'dismissed'")
    world.begin()
    told(world, app)
    assert students(world) == set()
