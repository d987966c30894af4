"""A student who comes back after the summer under another id: a match review."""

from __future__ import annotations

from tests.dsl.roster import Roster
from tests.dsl.world import World


def before_the_summer() -> Roster:
    return (
        Roster(has_sis_ids=False).school("north").teacher("t1", "north")
        .student("old", "north", given_name="Kim", family_name="Reed", email="")
        .class_("c1", "north", "t1", "old").class_("c2", "north", "t1")
    )  # fmt: skip


def after_the_summer() -> Roster:
    return before_the_summer().without("old").student(
        "new", "north", given_name="Kim", family_name="Reed", email="kim@district.example"
    ).enroll("c1", "new", "student").enroll("c2", "new", "student")  # fmt: skip


def review(harbor: World) -> int:
    found = harbor.tuples("select id from sync.worklist where kind = 'match_review' and resolved_at is null")
    assert len(found) == 1
    return int(found[0][0])


def put_up_for_review(harbor: World) -> tuple[int, int]:
    harbor.edit(before_the_summer())
    harbor.give_book("c1", "old")
    harbor.license(user="old")
    old = harbor.id_of("users", "old")
    harbor.edit(after_the_summer(), max_deleted_percent=100)
    harbor.license(user="new")
    harbor.give_book("c2", "new")
    return old, harbor.id_of("users", "new")
