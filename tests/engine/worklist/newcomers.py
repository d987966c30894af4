"""A teacher who is new, and a run that wrote."""

from __future__ import annotations

from tests.dsl.rows_by_hand import World


def wrote(world: World) -> None:
    """The run at work has written."""
    world.rows("update sync.runs set wrote_at = clock_timestamp(), issuer = 'memory:one' where id = %(run)s")


def newcomer(world: World, books: int = 1) -> tuple[int, int]:
    """A student whom the run at work puts into a class with books; returns both."""
    school = world.school(f"School {world.run_id}")
    world.person("school_admin", school, origin="manual")
    found = world.school_class(school, books=books), world.person("student", school)
    world.enroll(*found)
    return found
