"""What happens from one day to the next by chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from include.simulator.acts import Acts
from include.simulator.ids import mix, share
from include.simulator.state import State

SCHOOL_OPENS, SCHOOL_CLOSES = 3, 5
"""A school opens on days 3, 10, 17 ... and one closes on days 5, 12, 19 ..."""


@dataclass(frozen=True)
class Churn:
    """How much changes per day."""

    people: float = 0.01
    """The share of people to whom something happens; 0 = nothing ever changes."""
    schools: bool = True
    """Whether schools open and close."""


class Tomorrow(Acts):
    """Makes a day's state from the day before."""

    def __init__(self, seed: int, churn: Churn, before: State) -> None:
        """`before` is not changed."""
        super().__init__(seed, before)
        self._churn = churn

    def happen(self) -> State:
        """Everything that happens on this day by chance."""
        if self._churn.people <= 0:
            return self.state
        if self._churn.schools:
            if self._day % 7 == SCHOOL_OPENS:
                self.open_school(self._pick(self._open_schools(), 1))
            if self._day % 7 == SCHOOL_CLOSES:
                self._close_a_school()
        self._teachers()
        self._classes()
        self._students()
        return self.state

    def _count(self, what: int, expected: float, at_least: int = 0) -> int:
        whole = int(expected)
        return max(at_least, whole + (share(self._seed, self._day, 100 + what) < expected - whole))

    def _draw(self, what: int, count: int, population: int, fits: Callable[[int], bool]) -> Iterator[int]:
        """Up to `count` numbers below `population` that fit; tried a bounded number of times."""
        if population <= 0:
            return
        given = 0
        for attempt in range(count * 12):
            if given >= count:
                return
            index = mix(self._seed, self._day, what, attempt) % population
            if fits(index):
                given += 1
                yield index

    def _close_a_school(self) -> None:
        options = self._open_schools()
        if len(options) >= 3:
            self.close_school(self._pick(options, 2))

    def _teachers(self) -> None:
        state, rate = self.state, self._churn.people * self.state.n_teachers
        leaving = self._count(11, rate * 0.2, self._day % 2 == 0)
        promoted = self._count(12, rate * 0.1, self._day % 2 == 0)
        gone = [i for i, t in state.teachers.items() if not t.is_present and t.modified < self._day]
        for number in self._draw(14, self._count(14, len(gone) * 0.2), len(gone), self._free("gone teacher")):
            self.rehire(gone[number])
        for _ in range(self._count(13, rate * 0.2, leaving + promoted)):
            self.hire(self._pick(self._open_schools(), 13, state.n_teachers))
        for number in self._draw(11, leaving, state.n_teachers, self._teacher_fits):
            self.dismiss(number)
        for number in self._draw(12, promoted, state.n_teachers, self._teacher_fits):
            self.promote(number)
        for number in self._draw(15, self._count(15, rate * 0.1, 1), state.n_teachers, self._teacher_fits):
            self.marry_teacher(number)

    def _teacher_fits(self, number: int) -> bool:
        teacher = self.state.teacher(number)
        return teacher.is_present and not teacher.is_promoted and self._claim("teacher", number)

    def _claim(self, kind: str, number: int) -> bool:
        if (kind, number) in self._busy:
            return False
        self._busy.add((kind, number))
        return True

    def _free(self, kind: str) -> Callable[[int], bool]:
        return lambda number: self._claim(kind, number)

    def _classes(self) -> None:
        state, rate = self.state, self._churn.people * self.state.n_classes
        for number in self._draw(21, self._count(21, rate * 0.1, 1), state.n_classes, self._class_fits):
            class_ = state.class_(number)
            state.classes[number] = class_._replace(title=class_.title + 1, modified=self._day)
        for number in self._draw(
            22, self._count(22, rate * 0.1, self._day % 3 == 0), state.n_classes, self._class_fits
        ):
            self.close_class(number)
        for number in self._draw(
            23, self._count(23, rate * 0.1, self._day % 3 == 2), state.n_classes, self._class_fits
        ):
            self.split_class(number)

    def _class_fits(self, number: int) -> bool:
        return self.state.class_(number).is_open and self._claim("class", number)

    def _students(self) -> None:
        state, rate = self.state, self._churn.people * self.state.n_students
        gone = [i for i, s in state.students.items() if not s.is_present and s.modified < self._day]
        for number in self._draw(31, self._count(31, len(gone) * 0.3), len(gone), self._free("gone student")):
            self.bring_back(gone[number])
        for number in self._draw(32, self._count(32, rate * 0.15, 1), state.n_students, self._student_fits):
            self.depart(number, state.student(number))
        for number in self._draw(33, self._count(33, rate * 0.1, 1), state.n_students, self._student_fits):
            self.marry_student(number)
        for number in self._draw(34, self._count(34, rate * 0.05), state.n_students, self._student_fits):
            student = state.student(number)
            state.set_student(number, student._replace(email=student.email + 1, modified=self._day))
        for number in self._draw(35, self._count(35, rate * 0.35, 1), state.n_students, self._student_fits):
            self._change_classes(number)
        for number in self._draw(36, self._count(36, rate * 0.1, 1), state.n_students, self._student_fits):
            student = state.student(number)
            target = self.school_with(student.grade, student.school, number)
            if target >= 0:
                self.send_to(number, student, target)
        for number in self._draw(37, int(self._day % 3 == 0), state.n_students, self._student_fits):
            self.renumber(number)
        for _ in range(self._count(38, rate * 0.15, 1)):
            self.enroll_new(self._pick(self._open_schools(), 41, state.n_students))

    def _student_fits(self, number: int) -> bool:
        return self.state.student(number).is_present and self._claim("student", number)

    def _change_classes(self, number: int) -> None:
        student = self.state.student(number)
        periods = len(student.placements)
        for step in range(periods):
            period = (number + step) % periods
            seat = student.placements[period][0]
            options = [o for o in self.state.siblings(student.school, student.grade, period) if o != seat]
            if seat >= 0 and options:
                self._seat(number, student, period, self._pick(options, 40, number))
                return
