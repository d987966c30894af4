"""A district on one day: the first day's arithmetic, overlaid with what has changed since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from include.simulator.layout import GRADES, Layout, Plan

EXTRA_STUDENT, EXTRA_TEACHER = (200, 17), (40, 7)
"""One student in 200 and one teacher in 40 belongs to a second school."""


class StudentState(NamedTuple):
    """What can change about a student."""

    is_present: bool
    school: int
    extra: int
    grade: str
    name: int
    email: int
    sis: int
    placements: tuple[tuple[int, int], ...]
    """(class or -1, day since) of each period."""
    created: int
    clever_day: int
    modified: int
    moved: int


class TeacherState(NamedTuple):
    """What can change about a teacher."""

    is_present: bool
    school: int
    extra: int
    is_promoted: bool
    name: int
    created: int
    modified: int


class ClassState(NamedTuple):
    """What can change about a class."""

    school: int
    grade: str
    period: int
    number: int
    lead: int
    co: int
    lead_since: int
    co_since: int
    title: int
    is_open: bool
    created: int
    modified: int


class SchoolState(NamedTuple):
    """What can change about a school."""

    level: int
    is_open: bool
    created: int
    modified: int


@dataclass
class State:
    """Overlays: only what differs from the first day is stored."""

    layout: Layout
    day: int = 1
    students: dict[int, StudentState] = field(default_factory=dict)
    teachers: dict[int, TeacherState] = field(default_factory=dict)
    classes: dict[int, ClassState] = field(default_factory=dict)
    schools: dict[int, SchoolState] = field(default_factory=dict)
    student_movers: dict[int, frozenset[int]] = field(default_factory=dict)
    teacher_movers: dict[int, frozenset[int]] = field(default_factory=dict)
    opened: dict[tuple[int, str, int], tuple[int, ...]] = field(default_factory=dict)
    """Classes opened after the first day, by school, grade and period."""
    opened_in: dict[int, tuple[int, ...]] = field(default_factory=dict)
    touched: dict[int, int] = field(default_factory=dict)
    """The last day on which people came into or left a class."""
    n_students: int = 0
    n_teachers: int = 0
    n_classes: int = 0
    n_schools: int = 0

    @classmethod
    def first(cls, layout: Layout) -> State:
        """The first day."""
        return cls(
            layout, n_students=layout.students, n_teachers=layout.teachers, n_classes=layout.classes,
            n_schools=len(layout.plans),
        )  # fmt: skip

    def copy(self, day: int) -> State:
        """A copy that becomes another day's state."""
        return State(
            self.layout, day, dict(self.students), dict(self.teachers), dict(self.classes), dict(self.schools),
            dict(self.student_movers), dict(self.teacher_movers), dict(self.opened), dict(self.opened_in),
            dict(self.touched), self.n_students, self.n_teachers, self.n_classes, self.n_schools,
        )  # fmt: skip

    def school(self, index: int) -> SchoolState:
        """A school's state."""
        return self.schools.get(index) or SchoolState(self.layout.plans[index].level, True, 1, 1)

    def student(self, index: int) -> StudentState:
        """A student's state."""
        found = self.students.get(index)
        if found is None:
            found = self.first_student(self.layout.school_of_student(index), index)
        return found

    def first_student(self, plan: Plan, index: int) -> StudentState:
        """A student's state on the first day."""
        local = index - plan.first_student
        extra = self._extra(plan, index, EXTRA_STUDENT)
        placements = tuple([(place, 1) for place in self.layout.placements(plan, local)])
        return StudentState(
            True, plan.index, extra, plan.block_of(local).grade, 0, 0, 0, placements, 1, 1, 1, 1
        )  # fmt: skip

    def teacher(self, index: int) -> TeacherState:
        """A teacher's state."""
        found = self.teachers.get(index)
        if found is None:
            plan = self.layout.school_of_teacher(index)
            found = TeacherState(True, plan.index, self._extra(plan, index, EXTRA_TEACHER), False, 0, 1, 1)
        return found

    def _extra(self, plan: Plan, index: int, rule: tuple[int, int]) -> int:
        count = len(self.layout.plans)
        return (plan.index + 1) % count if index % rule[0] == rule[1] and count > 1 else -1

    def class_(self, index: int) -> ClassState:
        """A class's state."""
        found = self.classes.get(index)
        if found is None:
            plan, block, period, number = self.layout.slot_of_class(index)
            found = self._first_class(plan, block.grade, period, number, index)
        return found

    def _first_class(self, plan: Plan, grade: str, period: int, number: int, index: int) -> ClassState:
        local = index - plan.first_class
        lead = plan.first_teacher + local % plan.teachers
        co = -1
        if local == 0 and len(self.layout.plans) > 1:
            co = self._visitor(plan)
        elif local % 12 == 5 and plan.teachers > 1:
            co = plan.first_teacher + (local + 1) % plan.teachers
        return ClassState(plan.index, grade, period, number, lead, co, 1, 1, 0, True, 1, 1)

    def _visitor(self, plan: Plan) -> int:
        """The teacher of the school before this one who also teaches here."""
        home = self.layout.plans[plan.index - 1]
        every, rest = EXTRA_TEACHER
        index = home.first_teacher + (rest - home.first_teacher) % every
        return index if index < home.first_teacher + home.teachers else -1

    def classes_of(self, school: int) -> Iterator[tuple[int, ClassState]]:
        """The open classes of a school, those of the first day first."""
        if school < len(self.layout.plans):
            plan = self.layout.plans[school]
            for block in plan.blocks:
                for period, first in enumerate(block.first_class):
                    for number in range(block.sections[period]):
                        index = first + number
                        state = self.classes.get(index)
                        if state is None:
                            state = self._first_class(plan, block.grade, period, number, index)
                        if state.is_open:
                            yield index, state
        for index in self.opened_in.get(school, ()):
            if self.classes[index].is_open:
                yield index, self.classes[index]

    def siblings(self, school: int, grade: str, period: int) -> list[int]:
        """The open classes that a student of a grade could take in a period."""
        found: list[int] = []
        if school < len(self.layout.plans):
            for block in self.layout.plans[school].blocks:
                if block.grade == grade:
                    first = block.first_class[period]
                    found.extend(range(first, first + block.sections[period]))
        found.extend(self.opened.get((school, grade, period), ()))
        return [index for index in found if index not in self.classes or self.classes[index].is_open]

    def grades_of(self, school: int) -> tuple[str, ...]:
        """The grades taught at a school."""
        if school < len(self.layout.plans):
            return tuple(block.grade for block in self.layout.plans[school].blocks)
        return tuple(sorted({grade for at, grade, _ in self.opened if at == school}, key=GRADES.index))

    def students_of(self, school: int) -> Iterator[tuple[int, StudentState]]:
        """The students present at a school (as their main one), by index."""
        if school < len(self.layout.plans):
            plan = self.layout.plans[school]
            for index in range(plan.first_student, plan.first_student + plan.students):
                state = self.students.get(index)
                if state is None:
                    yield index, self.first_student(plan, index)
                elif state.is_present and state.school == school:
                    yield index, state
        for index in sorted(self.student_movers.get(school, ())):
            if self.students[index].is_present:
                yield index, self.students[index]

    def teachers_of(self, school: int) -> list[int]:
        """The teachers present at a school (as their main one) who still teach, by index."""
        found: list[int] = []
        if school < len(self.layout.plans):
            plan = self.layout.plans[school]
            found.extend(range(plan.first_teacher, plan.first_teacher + plan.teachers))
        found.extend(sorted(self.teacher_movers.get(school, ())))
        return [index for index in found if self.teaches(index, school)]

    def teaches(self, index: int, school: int) -> bool:
        """Whether a teacher is present and teaches at that school."""
        state = self.teachers.get(index)
        return state is None or (state.is_present and not state.is_promoted and state.school == school)

    def set_student(self, index: int, state: StudentState) -> None:
        """Sets a student's new state and updates the lists of who moved where."""
        before = self.students.get(index)
        self.students[index] = state
        self._move(self.student_movers, index, before.school if before else -1, state.school, self.layout.students)

    def set_teacher(self, index: int, state: TeacherState) -> None:
        """Sets a teacher's new state and updates the lists of who moved where."""
        before = self.teachers.get(index)
        self.teachers[index] = state
        self._move(self.teacher_movers, index, before.school if before else -1, state.school, self.layout.teachers)

    def _move(self, movers: dict[int, frozenset[int]], index: int, old: int, new: int, first_day: int) -> None:
        home = -1
        if index < first_day:
            is_student = movers is self.student_movers
            find = self.layout.school_of_student if is_student else self.layout.school_of_teacher
            home = find(index).index
        if old == new:
            return
        if old not in (-1, home):
            movers[old] = movers[old] - {index}
        if new != home:
            movers[new] = movers.get(new, frozenset()) | {index}
