"""Two schools as a district shares them, and what people make by hand in them."""

from __future__ import annotations

from tests.dsl.roster import Roster
from tests.dsl.world import World


def two_schools() -> Roster:
    return (
        Roster(has_sis_ids=False)
        .school("north").school("south")
        .teacher("t1", "north").teacher("t2", "south").teacher("t3", "north", "south")
        .student("s1", "north").student("s2", "south").student("s3", "north", "south")
        .class_("c1", "north", "t1 t3", "s1 s3").class_("c2", "south", "t2 t3", "s2 s3")
    )  # fmt: skip


def people(harbor: World) -> list[str]:
    return [row[0] for row in harbor.tuples("select source_id from portal.users where origin = 'sync' order by 1")]


def by_hand(harbor: World) -> dict[str, int]:
    """A teacher, a student, a class and enrollments made in the portal, all in the south."""
    teacher, student = harbor.add_by_hand("teacher", "south"), harbor.add_by_hand("student", "south", family_name="X")
    club = harbor.class_by_hand("south")
    harbor.enroll_by_hand(club, teacher, "teacher")
    harbor.enroll_by_hand(club, student, "student")
    harbor.enroll_by_hand(harbor.id_of("classes", "c2"), teacher, "teacher")  # a co-teacher
    harbor.enroll_by_hand(club, harbor.id_of("users", "s3"), "student")
    return {"teacher": teacher, "student": student, "club": club}


def many(count: int = 40) -> Roster:
    roster = two_schools()
    for number in range(count):
        roster.student(f"x{number}", "north").enroll("c1", f"x{number}", "student")
    return roster


def less(roster: Roster, count: int) -> Roster:
    return roster.without(*(f"x{number}" for number in range(count)))


def ask(harbor: World) -> None:
    harbor.edit(many())
    harbor.license(school="south")
    assert harbor.ask_to_reset(less(many(), 2).without_school("south")) == "held"
