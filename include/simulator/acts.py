"""What can happen to a district: each act changes the state of one day and everything that depends on it."""

from __future__ import annotations

from include.simulator.ids import mix
from include.simulator.state import (
    EXTRA_STUDENT,
    EXTRA_TEACHER,
    ClassState,
    SchoolState,
    State,
    StudentState,
    TeacherState,
)


class Acts:
    """The acts of one day, on a copy of the day before."""

    def __init__(self, seed: int, before: State) -> None:
        """`before` is not changed."""
        self._seed = seed
        self.state = before.copy(before.day + 1)
        self._day = self.state.day
        self._busy: set[tuple[str, int]] = set()
        """The persons, classes and schools to which something has happened on this day."""

    def _pick(self, options: list[int], *salt: int) -> int:
        return options[mix(self._seed, self._day, *salt) % len(options)]

    def _open_schools(self) -> list[int]:
        return [index for index in range(self.state.n_schools) if self.state.school(index).is_open]

    def open_school(self, donor: int) -> None:
        """A small school opens: students of two grades move over from another."""
        state = self.state
        grades = state.grades_of(donor)[:2]
        index = state.n_schools
        state.n_schools += 1
        state.schools[index] = SchoolState(state.school(donor).level, True, self._day, self._day)
        staff = [self.hire(index) for _ in range(3)]
        for grade in grades:
            for period in range(state.layout.periods):
                self._open_class(index, grade, period, staff[period % len(staff)])
        movers = [(i, s) for i, s in state.students_of(donor) if s.grade in grades and i % 3 == 0]
        for number, student in movers[:50]:
            self.send_to(number, student, index)

    def close_school(self, closing: int) -> None:
        """A school closes: its students go elsewhere, half of its teachers leave."""
        state = self.state
        state.schools[closing] = state.school(closing)._replace(is_open=False, modified=self._day)
        self._forget_extra(closing)
        for number, student in list(state.students_of(closing)):
            target = self.school_with(student.grade, closing, number)
            if target < 0:
                self.depart(number, student)
            else:
                self.send_to(number, student, target)
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
            self.hand_over(number)
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

    def school_with(self, grade: str, other_than: int, salt: int) -> int:
        """Another open school that teaches a grade; -1 = none."""
        options = self._open_schools()
        start = mix(self._seed, self._day, 4, salt) % len(options)
        for step in range(len(options)):
            school = options[(start + step) % len(options)]
            if school != other_than and grade in self.state.grades_of(school):
                return school
        return -1

    def dismiss(self, number: int) -> None:
        """A teacher leaves."""
        self._busy.add(("teacher", number))
        self.state.set_teacher(number, self.state.teacher(number)._replace(is_present=False, modified=self._day))
        self.hand_over(number)

    def promote(self, number: int) -> None:
        """A teacher becomes an administrator at the source."""
        self._busy.add(("teacher", number))
        self.state.set_teacher(number, self.state.teacher(number)._replace(is_promoted=True, modified=self._day))
        self.hand_over(number)

    def marry_teacher(self, number: int) -> None:
        """A teacher's family name changes; the address stays."""
        self._busy.add(("teacher", number))
        teacher = self.state.teacher(number)
        self.state.set_teacher(number, teacher._replace(name=teacher.name + 1, modified=self._day))

    def hire(self, school: int) -> int:
        """A new teacher."""
        number = self.state.n_teachers
        self.state.n_teachers += 1
        self.state.set_teacher(number, TeacherState(True, school, -1, False, 0, self._day, self._day))
        self._busy.add(("teacher", number))
        return number

    def rehire(self, number: int) -> None:
        """A teacher comes back, at first without classes."""
        teacher = self.state.teacher(number)
        self._busy.add(("teacher", number))
        school = teacher.school if self.state.school(teacher.school).is_open else self._open_schools()[0]
        extra = -1 if teacher.extra == school or not self._is_open(teacher.extra) else teacher.extra
        self.state.set_teacher(
            number, teacher._replace(is_present=True, school=school, extra=extra, modified=self._day)
        )

    def _is_open(self, school: int) -> bool:
        return school >= 0 and self.state.school(school).is_open

    def hand_over(self, number: int) -> None:
        """Gives the classes of a teacher who no longer teaches there to colleagues, if any are left."""
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

    def _members(self, index: int, class_: ClassState) -> list[tuple[int, StudentState]]:
        return [
            (number, student)
            for number, student in self.state.students_of(class_.school)
            if student.placements[class_.period][0] == index
        ]

    def close_class(self, index: int) -> None:
        """A class closes; its students go to others of the same hour, if there are any."""
        state, class_ = self.state, self.state.class_(index)
        members = self._members(index, class_)
        state.classes[index] = class_._replace(is_open=False, modified=self._day)
        others = state.siblings(class_.school, class_.grade, class_.period)
        for number, student in members:
            self._seat(number, student, class_.period, others[number % len(others)] if others else -1)

    def split_class(self, index: int) -> None:
        """Every second student of a class goes to a new one."""
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

    def marry_student(self, number: int) -> None:
        """A student's family name changes; the address stays."""
        self._busy.add(("student", number))
        student = self.state.student(number)
        self.state.set_student(number, student._replace(name=student.name + 1, modified=self._day))

    def renumber(self, number: int, sis_steps: int = 1) -> None:
        """A student gets another SIS id, and thereby another Clever id (with 0 steps only the latter)."""
        self._busy.add(("student", number))
        student = self.state.student(number)
        self._leave_classes(student)  # its sections name the student by the Clever id
        changed = student._replace(
            sis=student.sis + sis_steps, clever_day=self._day, modified=self._day, moved=self._day
        )
        self.state.set_student(number, changed)

    def _leave_classes(self, student: StudentState) -> None:
        for class_, _ in student.placements:
            if class_ >= 0:
                self.state.touched[class_] = self._day

    def depart(self, number: int, student: StudentState) -> None:
        """A student leaves."""
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

    def send_to(self, number: int, student: StudentState, school: int) -> None:
        """A student goes to another school."""
        self._busy.add(("student", number))
        self._leave_classes(student)
        extra = -1 if student.extra == school else student.extra
        seats = self._seats(number, school, student.grade)
        changed = student._replace(
            school=school, extra=extra, placements=seats, modified=self._day, moved=self._day
        )  # fmt: skip
        self.state.set_student(number, changed)

    def bring_back(self, number: int) -> None:
        """A student comes back, to the same classes if they are still open."""
        student = self.state.student(number)
        school = student.school
        if not self.state.school(school).is_open:
            school = self.school_with(student.grade, school, number)
            if school < 0:
                return
        extra = student.extra if self._is_open(student.extra) else -1
        back = student._replace(is_present=True, extra=extra)
        open_ = [seat for seat, _ in student.placements if seat >= 0 and self.state.class_(seat).is_open]
        if school != student.school or len(open_) < sum(seat >= 0 for seat, _ in student.placements):
            self.send_to(number, back, school)
            return
        self._busy.add(("student", number))
        self._leave_classes(student)
        seats = tuple((seat, self._day) for seat, _ in student.placements)
        self.state.set_student(number, back._replace(placements=seats, modified=self._day, moved=self._day))

    def _seat(self, number: int, student: StudentState, period: int, class_: int) -> None:
        old = student.placements[period][0]
        for touched in (old, class_):
            if touched >= 0:
                self.state.touched[touched] = self._day
        seats = list(student.placements)
        seats[period] = (class_, self._day)
        self.state.set_student(number, student._replace(placements=tuple(seats)))

    def enroll_new(self, school: int) -> None:
        """A new student."""
        state, number = self.state, self.state.n_students
        grades = state.grades_of(school)
        grade = grades[mix(self._seed, self._day, 42, number) % len(grades)]
        state.n_students += 1
        self._busy.add(("student", number))
        day = self._day
        seats = self._seats(number, school, grade)
        state.set_student(number, StudentState(True, school, -1, grade, 0, 0, 0, seats, day, day, day, day))
