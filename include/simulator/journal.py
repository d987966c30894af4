"""What happens from one day to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from include.simulator.ids import mix, share
from include.simulator.state import (
    EXTRA_STUDENT,
    EXTRA_TEACHER,
    ClassState,
    SchoolState,
    State,
    StudentState,
    TeacherState,
)

SCHOOL_OPENS, SCHOOL_CLOSES = 3, 5
"""A school opens on days 3, 10, 17 ... and one closes on days 5, 12, 19 ..."""


@dataclass(frozen=True)
class Churn:
    """How much changes a day."""

    people: float = 0.01
    """The share of people to whom something happens; 0 = nothing at all ever happens."""
    schools: bool = True
    """Whether schools open and close."""


class Tomorrow:
    """Makes a day's state out of the day before."""

    def __init__(self, seed: int, churn: Churn, before: State) -> None:
        """Nothing is changed in `before`."""
        self._seed, self._churn = seed, churn
        self.state = before.copy(before.day + 1)
        self._day = self.state.day
        self._busy: set[tuple[str, int]] = set()

    def happen(self) -> State:
        """Everything that happens on this day."""
        if self._churn.people <= 0:
            return self.state
        if self._churn.schools:
            if self._day % 7 == SCHOOL_OPENS:
                self._open_school()
            if self._day % 7 == SCHOOL_CLOSES:
                self._close_school()
        self._teachers()
        self._classes()
        self._students()
        return self.state

    # -- chance ---------------------------------------------------------------------------------------------------

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

    def _pick(self, options: list[int], *salt: int) -> int:
        return options[mix(self._seed, self._day, *salt) % len(options)]

    def _open_schools(self) -> list[int]:
        return [index for index in range(self.state.n_schools) if self.state.school(index).is_open]

    # -- schools --------------------------------------------------------------------------------------------------

    def _open_school(self) -> None:
        """A small school opens: two grades move over from a larger one."""
        state, donor = self.state, self._pick(self._open_schools(), 1)
        grades = state.grades_of(donor)[:2]
        index = state.n_schools
        state.n_schools += 1
        state.schools[index] = SchoolState(state.school(donor).level, True, self._day, self._day)
        staff = [self._hire(index) for _ in range(3)]
        for grade in grades:
            for period in range(state.layout.periods):
                self._open_class(index, grade, period, staff[period % len(staff)])
        movers = [(i, s) for i, s in state.students_of(donor) if s.grade in grades and i % 3 == 0]
        for number, student in movers[:50]:
            self._send_to(number, student, index)

    def _close_school(self) -> None:
        """A school closes: its students go elsewhere, half of its teachers leave."""
        state, options = self.state, self._open_schools()
        if len(options) < 3:
            return
        closing = self._pick(options, 2)
        state.schools[closing] = state.school(closing)._replace(is_open=False, modified=self._day)
        self._forget_extra(closing)
        for number, student in list(state.students_of(closing)):
            target = self._school_with(student.grade, closing, number)
            if target < 0:
                self._depart(number, student)
            else:
                self._send_to(number, student, target)
        for index, class_ in list(state.classes_of(closing)):
            state.classes[index] = class_._replace(is_open=False, modified=self._day)
        for number in state.teachers_of(closing):
            teacher, others = state.teacher(number), self._open_schools()
            self._busy.add(("teacher", number))
            if number % 2:
                target = self._pick(others, 3, number)
                extra = -1 if teacher.extra == target else teacher.extra
                state.set_teacher(number, teacher._replace(school=target, extra=extra, modified=self._day))
            else:
                state.set_teacher(number, teacher._replace(is_present=False, modified=self._day))
            self._hand_over(number)
        for number in list(state.teachers):  # those promoted there go to the district's largest school
            teacher = state.teachers[number]
            if teacher.is_promoted and teacher.is_present and teacher.school == closing:
                moved = teacher._replace(school=self._open_schools()[0], extra=-1, modified=self._day)
                state.set_teacher(number, moved)

    def _forget_extra(self, closing: int) -> None:
        state = self.state
        for number in range(EXTRA_STUDENT[1], state.n_students, EXTRA_STUDENT[0]):
            student = state.student(number)
            if student.extra == closing:
                state.set_student(number, student._replace(extra=-1, modified=self._day))
        for number in range(EXTRA_TEACHER[1], state.n_teachers, EXTRA_TEACHER[0]):
            teacher = state.teacher(number)
            if teacher.extra == closing:
                state.set_teacher(number, teacher._replace(extra=-1, modified=self._day))

    def _school_with(self, grade: str, other_than: int, salt: int) -> int:
        options = self._open_schools()
        start = mix(self._seed, self._day, 4, salt) % len(options)
        for step in range(len(options)):
            school = options[(start + step) % len(options)]
            if school != other_than and grade in self.state.grades_of(school):
                return school
        return -1

    # -- teachers -------------------------------------------------------------------------------------------------

    def _teachers(self) -> None:
        state, rate = self.state, self._churn.people * self.state.n_teachers
        leaving = self._count(11, rate * 0.2, self._day % 2 == 0)
        promoted = self._count(12, rate * 0.1, self._day % 2 == 0)
        gone = [i for i, t in state.teachers.items() if not t.is_present and t.modified < self._day]
        for number in self._draw(14, self._count(14, len(gone) * 0.2), len(gone), self._free("gone teacher")):
            self._come_back(gone[number])
        for _ in range(self._count(13, rate * 0.2, leaving + promoted)):
            self._hire(self._pick(self._open_schools(), 13, state.n_teachers))
        for number in self._draw(11, leaving, state.n_teachers, self._teacher_fits):
            state.set_teacher(number, state.teacher(number)._replace(is_present=False, modified=self._day))
            self._hand_over(number)
        for number in self._draw(12, promoted, state.n_teachers, self._teacher_fits):
            state.set_teacher(number, state.teacher(number)._replace(is_promoted=True, modified=self._day))
            self._hand_over(number)
        for number in self._draw(15, self._count(15, rate * 0.1, 1), state.n_teachers, self._teacher_fits):
            teacher = state.teacher(number)
            state.set_teacher(number, teacher._replace(name=teacher.name + 1, modified=self._day))

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

    def _hire(self, school: int) -> int:
        number = self.state.n_teachers
        self.state.n_teachers += 1
        self.state.set_teacher(number, TeacherState(True, school, -1, False, 0, self._day, self._day))
        self._busy.add(("teacher", number))
        return number

    def _come_back(self, number: int) -> None:
        teacher = self.state.teacher(number)
        self._busy.add(("teacher", number))
        school = teacher.school if self.state.school(teacher.school).is_open else self._open_schools()[0]
        extra = -1 if teacher.extra == school or not self._is_open(teacher.extra) else teacher.extra
        self.state.set_teacher(
            number, teacher._replace(is_present=True, school=school, extra=extra, modified=self._day)
        )

    def _is_open(self, school: int) -> bool:
        return school >= 0 and self.state.school(school).is_open

    def _hand_over(self, number: int) -> None:
        """Gives the classes of one who no longer teaches there to colleagues, if any are left."""
        state, teacher = self.state, self.state.teacher(number)
        schools = {teacher.school, teacher.extra}
        if number < state.layout.teachers:
            home = state.layout.school_of_teacher(number).index
            schools |= {home, (home + 1) % len(state.layout.plans)}
        for school in sorted(school for school in schools if school >= 0):
            colleagues = [other for other in state.teachers_of(school) if other != number]
            for index, class_ in list(state.classes_of(school)):
                if class_.co == number and not self._may_teach(number, school):
                    class_ = self._change_class(index, class_._replace(co=-1, co_since=self._day))
                if class_.lead == number and not self._may_teach(number, school):
                    heirs = [other for other in colleagues if other != class_.co]
                    lead = heirs[index % len(heirs)] if heirs else -1
                    self._change_class(index, class_._replace(lead=lead, lead_since=self._day))

    def _may_teach(self, number: int, school: int) -> bool:
        teacher = self.state.teacher(number)
        return teacher.is_present and not teacher.is_promoted and school in (teacher.school, teacher.extra)

    def _change_class(self, index: int, class_: ClassState) -> ClassState:
        self.state.classes[index] = class_
        self.state.touched[index] = self._day
        return class_

    # -- classes --------------------------------------------------------------------------------------------------

    def _classes(self) -> None:
        state, rate = self.state, self._churn.people * self.state.n_classes
        for number in self._draw(21, self._count(21, rate * 0.1, 1), state.n_classes, self._class_fits):
            class_ = state.class_(number)
            state.classes[number] = class_._replace(title=class_.title + 1, modified=self._day)
        for number in self._draw(
            22, self._count(22, rate * 0.1, self._day % 3 == 0), state.n_classes, self._class_fits
        ):
            self._close_class(number)
        for number in self._draw(
            23, self._count(23, rate * 0.1, self._day % 3 == 2), state.n_classes, self._class_fits
        ):
            self._split_class(number)

    def _class_fits(self, number: int) -> bool:
        return self.state.class_(number).is_open and self._claim("class", number)

    def _members(self, index: int, class_: ClassState) -> list[tuple[int, StudentState]]:
        return [
            (number, student)
            for number, student in self.state.students_of(class_.school)
            if student.placements[class_.period][0] == index
        ]

    def _close_class(self, index: int) -> None:
        state, class_ = self.state, self.state.class_(index)
        members = self._members(index, class_)
        state.classes[index] = class_._replace(is_open=False, modified=self._day)
        others = state.siblings(class_.school, class_.grade, class_.period)
        for number, student in members:
            self._seat(number, student, class_.period, others[number % len(others)] if others else -1)

    def _split_class(self, index: int) -> None:
        class_ = self.state.class_(index)
        teachers = self.state.teachers_of(class_.school)
        lead = self._pick(teachers, 24, index) if teachers else -1
        new = self._open_class(class_.school, class_.grade, class_.period, lead)
        for number, student in self._members(index, class_)[::2]:
            self._seat(number, student, class_.period, new)

    def _open_class(self, school: int, grade: str, period: int, lead: int) -> int:
        state, day = self.state, self._day
        index, slot = state.n_classes, (school, grade, period)
        state.n_classes += 1
        number = len(state.siblings(*slot)) + 20
        state.classes[index] = ClassState(school, grade, period, number, lead, -1, day, day, 0, True, day, day)
        state.opened[slot] = (*state.opened.get(slot, ()), index)
        state.opened_in[school] = (*state.opened_in.get(school, ()), index)
        self._busy.add(("class", index))
        return index

    # -- students -------------------------------------------------------------------------------------------------

    def _students(self) -> None:
        state, rate = self.state, self._churn.people * self.state.n_students
        gone = [i for i, s in state.students.items() if not s.is_present and s.modified < self._day]
        for place in self._draw(31, self._count(31, len(gone) * 0.3), len(gone), self._free("gone student")):
            self._return(gone[place])
        for number in self._draw(32, self._count(32, rate * 0.15, 1), state.n_students, self._student_fits):
            self._depart(number, state.student(number))
        for number in self._draw(33, self._count(33, rate * 0.1, 1), state.n_students, self._student_fits):
            student = state.student(number)
            state.set_student(number, student._replace(name=student.name + 1, modified=self._day))
        for number in self._draw(34, self._count(34, rate * 0.05), state.n_students, self._student_fits):
            student = state.student(number)
            state.set_student(number, student._replace(email=student.email + 1, modified=self._day))
        for number in self._draw(35, self._count(35, rate * 0.35, 1), state.n_students, self._student_fits):
            self._change_classes(number)
        for number in self._draw(36, self._count(36, rate * 0.1, 1), state.n_students, self._student_fits):
            student = state.student(number)
            target = self._school_with(student.grade, student.school, number)
            if target >= 0:
                self._send_to(number, student, target)
        for number in self._draw(37, int(self._day % 3 == 0), state.n_students, self._student_fits):
            student = state.student(number)
            self._leave_classes(student)  # another Clever id: its sections change with it
            changed = student._replace(sis=student.sis + 1, clever_day=self._day, modified=self._day, moved=self._day)
            state.set_student(number, changed)
        for _ in range(self._count(38, rate * 0.15, 1)):
            self._enrol_new()

    def _student_fits(self, number: int) -> bool:
        return self.state.student(number).is_present and self._claim("student", number)

    def _leave_classes(self, student: StudentState) -> None:
        for class_, _ in student.placements:
            if class_ >= 0:
                self.state.touched[class_] = self._day

    def _depart(self, number: int, student: StudentState) -> None:
        self._busy.add(("student", number))
        self._leave_classes(student)
        self.state.set_student(number, student._replace(is_present=False, modified=self._day, moved=self._day))

    def _seats(self, number: int, school: int, grade: str) -> tuple[tuple[int, int], ...]:
        seats = []
        for period in range(self.state.layout.periods):
            options = self.state.siblings(school, grade, period)
            place = self._pick(options, 39, number, period) if options else -1
            if place >= 0:
                self.state.touched[place] = self._day
            seats.append((place, self._day))
        return tuple(seats)

    def _send_to(self, number: int, student: StudentState, school: int) -> None:
        self._busy.add(("student", number))
        self._leave_classes(student)
        extra = -1 if student.extra == school else student.extra
        seats = self._seats(number, school, student.grade)
        changed = student._replace(
            school=school, extra=extra, placements=seats, modified=self._day, moved=self._day
        )  # fmt: skip
        self.state.set_student(number, changed)

    def _return(self, number: int) -> None:
        student = self.state.student(number)
        school = student.school
        if not self.state.school(school).is_open:
            school = self._school_with(student.grade, school, number)
            if school < 0:
                return
        extra = student.extra if self._is_open(student.extra) else -1
        back = student._replace(is_present=True, extra=extra)
        open_ = [seat for seat, _ in student.placements if seat >= 0 and self.state.class_(seat).is_open]
        if school != student.school or len(open_) < sum(seat >= 0 for seat, _ in student.placements):
            self._send_to(number, back, school)
            return
        self._busy.add(("student", number))
        self._leave_classes(student)
        seats = tuple((seat, self._day) for seat, _ in student.placements)
        self.state.set_student(number, back._replace(placements=seats, modified=self._day, moved=self._day))

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

    def _seat(self, number: int, student: StudentState, period: int, class_: int) -> None:
        old = student.placements[period][0]
        for touched in (old, class_):
            if touched >= 0:
                self.state.touched[touched] = self._day
        seats = list(student.placements)
        seats[period] = (class_, self._day)
        self.state.set_student(number, student._replace(placements=tuple(seats)))

    def _enrol_new(self) -> None:
        state, number = self.state, self.state.n_students
        school = self._pick(self._open_schools(), 41, number)
        grades = state.grades_of(school)
        grade = grades[mix(self._seed, self._day, 42, number) % len(grades)]
        state.n_students += 1
        self._busy.add(("student", number))
        day = self._day
        seats = self._seats(number, school, grade)
        state.set_student(number, StudentState(True, school, -1, grade, 0, 0, 0, seats, day, day, day, day))
