"""What waits for a person goes on with the row that takes over another, and comes back with an undo."""

from __future__ import annotations

from typing import Any

from roster_sync.engine import matching, runs, worklist
from tests.dsl.world import World
from tests.engine.summer import after_the_summer, before_the_summer, review

Items = set[tuple[Any, ...]]


def waiting(harbor: World, kind: str = "student_needs_books") -> Items:
    """Open items: the subject, and the class where there is one."""
    found = "select subject_id, second_subject_id from sync.worklist where kind = %(k)s and resolved_at is null"
    return set(harbor.tuples(found, k=kind))


def told(harbor: World) -> None:
    """The newest run comes to the end of its `notify`."""
    with runs.step(harbor.app, harbor.run_id, "notify"):
        worklist.refresh(harbor.app, harbor.run_id)


def new_in_a_class_with_books(harbor: World) -> tuple[int, int, int]:
    """Put up for review: the old row, and a new one in c2 that needs its book; returns both, and the class."""
    harbor.edit(before_the_summer())
    told(harbor)
    harbor.give_book("c2")
    old = harbor.id_of("users", "old")
    harbor.edit(after_the_summer(), max_deleted_percent=100)
    told(harbor)
    new, class_ = harbor.id_of("users", "new"), harbor.id_of("classes", "c2")
    assert waiting(harbor) == {(new, class_)}
    return old, new, class_


def test_the_books_that_a_student_needs_are_not_forgotten_where_two_rows_become_one(harbor: World) -> None:
    old, _, class_ = new_in_a_class_with_books(harbor)
    matching.same_person(harbor.app, review(harbor), "Ada Approver")
    assert waiting(harbor) == {(old, class_)}
    harbor.edit(after_the_summer())
    told(harbor)
    assert waiting(harbor) == {(old, class_)}
    harbor.give_book("c2", "new")
    worklist.refresh_all(harbor.app)
    assert waiting(harbor) == set()


def test_an_undo_gives_the_item_back_to_the_row_that_it_was_opened_for(harbor: World) -> None:
    new_in_a_class_with_books(harbor)
    items = "select id, kind, subject_id, second_subject_id, opened_run_id, resolved_at from sync.worklist order by id"
    before = harbor.tuples(items)
    matching.same_person(harbor.app, review(harbor), "Ada Approver")
    assert harbor.undo() == "launched"
    assert harbor.tuples(items) == before
    told(harbor)
    assert harbor.tuples(items) == before


def test_where_both_rows_wait_for_the_same_it_waits_once(harbor: World) -> None:
    old, new, class_ = new_in_a_class_with_books(harbor)
    harbor.do(
        "insert into sync.worklist (district_id, kind, subject_type, subject_id, second_subject_id)"
        " values (%(d)s, 'student_needs_books', 'user', %(o)s, %(c)s)", o=old, c=class_,
    )  # fmt: skip
    matching.same_person(harbor.app, review(harbor), "Ada Approver")
    assert waiting(harbor) == {(old, class_)}
    closed = "select resolution from sync.worklist where subject_id = %(n)s and resolved_by = 'sync'"
    assert harbor.tuples(closed, n=new) == [("deleted",)]


def test_the_license_that_a_teacher_needs_is_not_forgotten_either(harbor: World) -> None:
    teacher = {"given_name": "Noor", "family_name": "Hand"}
    harbor.edit(before_the_summer().teacher("t8", "north", email="", **teacher))
    told(harbor)
    old = harbor.id_of("users", "t8")
    harbor.do("update sync.worklist set resolved_at = now(), resolved_by = 'Lee', resolution = 'licensed'")
    harbor.edit(before_the_summer().teacher("t9", "north", **teacher), max_deleted_percent=100)
    told(harbor)
    assert waiting(harbor, "teacher_needs_license") == {(harbor.id_of("users", "t9"), None)}
    matching.same_person(harbor.app, review(harbor), "Ada Approver")
    assert waiting(harbor, "teacher_needs_license") == {(old, None)}


def test_what_waited_for_a_class_and_a_student_made_anew_waits_for_the_old_ones_after_an_undo(harbor: World) -> None:
    harbor.edit(before_the_summer())
    told(harbor)
    old, class_ = harbor.id_of("users", "old"), harbor.id_of("classes", "c1")
    harbor.reset(before_the_summer().without("old", "c1"))
    told(harbor)
    target = harbor.run_id
    harbor.edit(before_the_summer())
    harbor.give_book("c1")
    told(harbor)
    assert waiting(harbor) == {(harbor.id_of("users", "old"), harbor.id_of("classes", "c1"))} != {(old, class_)}
    assert harbor.undo(target) == "launched"
    told(harbor)
    assert waiting(harbor) == {(old, class_)}
