"""Named events on chosen days, for tests that need one certain event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from include.simulator.acts import Acts

Script = Mapping[int, Sequence[tuple[str, int]]]
"""For a day (2 or later): pairs of a verb of VERBS and the number of the person, class or school that it happens to."""

CLEVER_FORGETS_AFTER: Final = 300
"""Days away after which Clever gives a person another id."""


def _student_returns(acts: Acts, number: int) -> None:
    away = acts.state.day - acts.state.student(number).modified
    acts.bring_back(number)
    if away > CLEVER_FORGETS_AFTER:
        acts.renumber(number, sis_steps=0)


def _student_moves(acts: Acts, number: int) -> None:
    student = acts.state.student(number)
    target = acts.school_with(student.grade, student.school, number)
    if target < 0:
        raise ValueError(f"Student {number} cannot move: no other school teaches the grade.")
    acts.send_to(number, student, target)


VERBS: Final[dict[str, Callable[[Acts, int], object]]] = {
    "student_leaves": lambda acts, number: acts.depart(number, acts.state.student(number)),
    "student_returns": _student_returns,
    "student_marries": lambda acts, number: acts.marry_student(number),
    "student_moves": _student_moves,
    "student_gets_new_sis_id": lambda acts, number: acts.renumber(number),
    "student_gets_new_clever_id": lambda acts, number: acts.renumber(number, sis_steps=0),
    "student_joins": lambda acts, school: acts.enroll_new(school),
    "teacher_leaves": lambda acts, number: acts.dismiss(number),
    "teacher_returns": lambda acts, number: acts.rehire(number),
    "teacher_marries": lambda acts, number: acts.marry_teacher(number),
    "teacher_is_promoted": lambda acts, number: acts.promote(number),
    "teacher_joins": lambda acts, school: acts.hire(school),
    "class_closes": lambda acts, number: acts.close_class(number),
    "class_splits": lambda acts, number: acts.split_class(number),
    "school_opens": lambda acts, donor: acts.open_school(donor),
    "school_closes": lambda acts, number: acts.close_school(number),
}
"""Every verb; its number is the `key` of the student, teacher, class or school (joins: the school,
school_opens: the school whose students move over)."""


def perform(acts: Acts, script: Script) -> None:
    """Does what the script says for the day."""
    for verb, number in script.get(acts.state.day, ()):
        VERBS[verb](acts, number)


def check(script: Script) -> None:
    """Raises ValueError for a script that names an unknown verb or the first day."""
    for day, steps in script.items():
        if day < 2:
            raise ValueError("A script begins on day 2, because day 1 is the district as it was laid out.")
        for verb, _ in steps:
            if verb not in VERBS:
                raise ValueError(f"A script has no verb {verb!r}; the verbs are {', '.join(VERBS)}.")
