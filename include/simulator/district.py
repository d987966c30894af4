"""A made-up school district of any size on any day, the same from one seed forever.

`MadeUpDistrict(seed=7, students=1000, schools=3).day(2)` is a snapshot; its collections are iterators, so that a
district of a million students needs no memory for them. The first day is day 1.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from typing import Literal, NamedTuple

from include.simulator.chance import Churn, Tomorrow
from include.simulator.ids import Identifiers, mix
from include.simulator.layout import GRADES, LEVELS, SUBJECTS, Layout, course_index
from include.simulator.names import school_name
from include.simulator.people import Roll
from include.simulator.records import Class, Course, Enrollment, Kind, Person, School, Section, Term
from include.simulator.script import Script, check, perform
from include.simulator.state import ClassState, State, StudentState

TERM_RENAMED = 5
"""The day on which the first semester gets another name; Clever then gives it another id."""


class Office(NamedTuple):
    """The district itself, as an organization."""

    name: str
    sourced_id: str
    clever_id: str
    sis_id: str
    nces_id: str


class MadeUpDistrict:
    """A district that does not exist."""

    def __init__(
        self, seed: int = 1, students: int = 1000, schools: int | None = None, *, name: str = "",
        classes_per_student: float = 6.0, churn: float | Churn = 0.01, contacts: bool = True, many_terms: bool = True,
        domain: str = "", first_day: date = date(2026, 9, 1), script: Script | None = None,
    ) -> None:  # fmt: skip
        """Lays the district out.

        Args:
            seed: another seed, another district, with other names and ids.
            students: on day 1, up to a million or more.
            schools: on day 1; by default one for 700 students.
            name: by default made from the seed.
            classes_per_student: 4.8 gives 480 student enrollments for 100 students.
            churn: the share of people to whom something happens in a day (0 = nothing ever changes), or a Churn.
            contacts: whether parents and guardians are in the feed.
            many_terms: whether a few classes run in two terms, which OneRoster can say and Clever cannot.
            domain: of email addresses; a reserved example domain by default.
            first_day: the date of day 1.
            script: what happens on certain days besides chance, e.g. {3: [("teacher_is_promoted", 5)]}; see
                script.VERBS.
        """
        self.seed, self.first_day = seed, first_day
        self.ids = Identifiers(seed)
        self.name = name or f"{school_name(seed % 24, 'Unified')} School District"
        self.domain = domain or f"district{seed}.example.org"
        self.layout = Layout(seed, students, schools or max(1, round(students / 700)), classes_per_student)
        self.churn = churn if isinstance(churn, Churn) else Churn(churn)
        self.has_contacts, self.many_terms = contacts, many_terms
        self._states = {1: State.first(self.layout)}
        self._script = script or {}
        check(self._script)
        self._stamps: dict[int, str] = {}
        self._lock = threading.Lock()

    def day(self, number: int) -> DistrictDay:
        """The district as it is on a day, 1 or later."""
        if number < 1:
            raise ValueError("The first day of a made-up district is day 1.")
        with self._lock:
            latest = max(day for day in self._states if day <= number)
            state = self._states[latest]
            while state.day < number:
                tomorrow = Tomorrow(self.seed, self.churn, state)
                perform(tomorrow, self._script)
                state = tomorrow.happen()
                self._states[state.day] = state
            self._forget(number)
        return DistrictDay(self, state)

    def _forget(self, number: int) -> None:
        for day in sorted(self._states)[1:]:
            if len(self._states) > 8 and abs(day - number) > 3:
                del self._states[day]

    def date_of(self, day: int) -> date:
        """The date of a day's number."""
        return self.first_day + timedelta(days=day - 1)

    def timestamp(self, day: int) -> str:
        """The moment at which the records changed on a day were written, as OneRoster and Clever write it."""
        stamp = self._stamps.get(day)
        if stamp is None:
            moment = datetime.combine(self.date_of(day), time(1, 30), timezone.utc)
            stamp = self._stamps[day] = moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return stamp

    @property
    def office(self) -> Office:
        """The district as an organization."""
        clever = f"{mix(self.seed, 9):016x}{self.seed & 0xFFFFFFFF:08x}"
        return Office(self.name, self.ids.sourced("district", 0), clever, "D-1", f"{3_600_000 + self.seed % 99_999}")


class DistrictDay:
    """What the district contains on one day; immutable."""

    def __init__(self, district: MadeUpDistrict, state: State) -> None:
        """Made by MadeUpDistrict.day."""
        self.district, self.number = district, state.day
        self._state = state
        self._roll = Roll(district.seed, district.ids, district.domain, state, has_contacts=district.has_contacts)

    @property
    def date(self) -> date:
        """The date of this day."""
        return self.district.date_of(self.number)

    # -- organizations, courses, terms ----------------------------------------------------------------------------

    def schools(self) -> Iterator[School]:
        """The open schools, by index."""
        for index in range(self._state.n_schools):
            if self._state.school(index).is_open:
                yield self.school(index)

    def school(self, index: int) -> School:
        """One school, open or not."""
        state, ids = self._state.school(index), self.district.ids
        principal = self._roll.staff_member(index, 0)
        return School(
            index, ids.sourced("school", index), ids.clever(state.created, 0x10, index),
            school_name(index, LEVELS[state.level][0]), f"S{100 + index}", f"ST-{5000 + index}",
            f"36{mix(self.district.seed, 5) % 100_000:05d}{index:05d}", self._state.grades_of(index),
            f"{principal.given_name} {principal.family_name}", principal.email, state.created, state.modified,
        )  # fmt: skip

    @property
    def schools_changed_day(self) -> int:
        """The last day on which a school opened or closed."""
        return max(self._state.school(index).modified for index in range(self._state.n_schools))

    def courses(self) -> Iterator[Course]:
        """The district's courses: one a grade and subject that is taught on day 1."""
        taught = {
            course_index(block.grade, period)
            for plan in self.district.layout.plans
            for block in plan.blocks
            for period in range(self.district.layout.periods)
        }
        for index in sorted(taught):
            yield self.course(index)

    def course(self, index: int) -> Course:
        """One course."""
        grade, (_, code, titles, subject) = GRADES[index // len(SUBJECTS)], SUBJECTS[index % len(SUBJECTS)]
        level = next(number for number, (_, grades) in enumerate(LEVELS) if grade in grades)
        return Course(
            index, self.district.ids.sourced("course", index), self.district.ids.clever(1, 0x12, index),
            f"{titles[level]} {grade}", f"{code}-{grade}", grade, subject, code,
        )  # fmt: skip

    def terms(self) -> Iterator[Term]:
        """The school year, its two semesters, their grading periods."""
        for index in range(7):
            yield self.term(index)

    def term(self, index: int) -> Term:
        """One term: 0 the year, 1 and 2 the semesters, 3 to 6 the grading periods."""
        year = self.district.first_day.year if self.district.first_day.month >= 7 else self.district.first_day.year - 1
        title, starts, ends, parent = _TERMS[index]
        changed = TERM_RENAMED if index == 1 and self.number >= TERM_RENAMED else 1
        if changed > 1:
            title = "Fall Semester {0}"
        kind: Literal["schoolYear", "semester", "gradingPeriod"] = (
            "schoolYear" if index == 0 else "semester" if index < 3 else "gradingPeriod"
        )
        return Term(
            index, self.district.ids.sourced("term", index), self.district.ids.clever(changed, 0x11, index),
            title.format(year, year + 1), kind, starts.format(year, year + 1), ends.format(year, year + 1), parent,
            str(year + 1), 1, changed,
        )  # fmt: skip

    # -- people ---------------------------------------------------------------------------------------------------

    def users(self, *kinds: Kind) -> Iterator[Person]:
        """Everyone, or those of some kinds: the office, staff, teachers, students, contacts; each by index."""
        if not kinds:
            yield from self._roll.everyone()
        for kind in kinds:
            if kind == "contact" and not self.district.has_contacts:
                continue
            makers = {
                "admin": self._roll.office, "staff": self._roll.staff, "teacher": self._roll.teachers,
                "student": self._roll.students, "contact": self._roll.contacts,
            }  # fmt: skip
            yield from makers[kind]()

    def person(self, kind: Literal["teacher", "student"], index: int) -> Person | None:
        """One teacher or student; None if they are not present on this day."""
        if kind == "teacher":
            here = index < self._state.n_teachers and self._state.teacher(index).is_present
            return self._roll.teacher(index) if here else None
        here = index < self._state.n_students and self._state.student(index).is_present
        return self._roll.student(index, self._state.student(index)) if here else None

    def person_sourced_id(self, kind: Kind, index: int) -> str:
        """A person's OneRoster sourcedId."""
        return self.district.ids.sourced(kind, index)

    def person_clever_id(self, kind: Kind, index: int) -> str:
        """A person's Clever id on this day (another one after a change of SIS id)."""
        return self._roll.clever_id(kind, index)

    def school_sourced_id(self, index: int) -> str:
        """A school's OneRoster sourcedId; -1 = the district's."""
        return self.district.ids.sourced("school", index) if index >= 0 else self.district.office.sourced_id

    def school_clever_id(self, index: int) -> str:
        """A school's Clever id."""
        return self.district.ids.clever(self._state.school(index).created, 0x10, index)

    # -- classes and who is in them -------------------------------------------------------------------------------

    def classes(self) -> Iterator[Class]:
        """The open classes, by school, those opened after day 1 last."""
        for index, state, _ in self._open_classes():
            yield self._class(index, state)

    def enrollments(self) -> Iterator[Enrollment]:
        """Who is in which class: teachers by class, then students by school."""
        for index, state, class_id in self._open_classes():
            if state.lead >= 0:
                yield self._enrollment(index, class_id, state, "teacher", state.lead, True, state.lead_since)
            if state.co >= 0:
                yield self._enrollment(index, class_id, state, "teacher", state.co, False, state.co_since)
        for school in range(self._state.n_schools):
            if self._state.school(school).is_open:
                yield from self._students_in_classes(school)

    def sections(self) -> Iterator[Section]:
        """The open classes, each with its people; needs memory for one school at a time."""
        late: list[Section] = []
        for school in range(self._state.n_schools):
            if not self._state.school(school).is_open:
                continue
            members: dict[int, list[int]] = {}
            for number, student in self._state.students_of(school):
                for class_, _ in student.placements:
                    members.setdefault(class_, []).append(number)
            for index, state in self._state.classes_of(school):
                section = self._section(index, state, members.get(index, []))
                if index < self.district.layout.classes:
                    yield section
                else:
                    late.append(section)
        yield from sorted(late, key=lambda section: section.record.key)

    def _section(self, index: int, state: ClassState, members: list[int]) -> Section:
        record = self._class(index, state)
        term = self.term(record.terms[0]).modified_day if len(record.terms) == 1 else 1
        modified = max(record.modified_day, self._state.touched.get(index, 1), term)
        teachers = tuple(number for number in (state.lead, state.co) if number >= 0)
        return Section(record, teachers, state.lead >= 0, tuple(members), modified)

    def _open_classes(self) -> Iterator[tuple[int, ClassState, str]]:
        late: list[int] = []
        for school in range(self._state.n_schools):
            if self._state.school(school).is_open:
                for index, state in self._state.classes_of(school):
                    if index < self.district.layout.classes:
                        yield index, state, self.district.ids.sourced("class", index)
                    else:
                        late.append(index)
        for index in sorted(late):
            yield index, self._state.classes[index], self.district.ids.sourced("class", index)

    def _class(self, index: int, state: ClassState) -> Class:
        ids = self.district.ids
        course = self.course(course_index(state.grade, state.period))
        title = f"{course.title} - {state.number + 1}"
        if index % 37 == 3:
            title = f'{course.title} "Honors", {state.number + 1}'
        if state.title:
            title += f" (rev. {state.title + 1})"
        return Class(
            index, ids.sourced("class", index), ids.clever(state.created, 0x13, index), state.school, course.key,
            self._terms_of(index, state), title, f"{course.code}-{index}", state.grade, course.subject,
            course.subject_code, str(state.period + 1), f"Room {100 + mix(index) % 200}", state.period == 0,
            f"SEC{index}", state.created, state.modified,
        )  # fmt: skip

    def _terms_of(self, index: int, state: ClassState) -> tuple[int, ...]:
        if state.period == 0:
            return (1, 2) if self.district.many_terms and index % 5 == 0 else (0,)
        return (0,) if state.period % 2 else (1 + index % 2,)

    def _students_in_classes(self, school: int) -> Iterator[Enrollment]:
        sourced = self.district.ids.sourced
        class_ids: dict[int, str] = {}
        dates: dict[int, tuple[str, str]] = {}
        for number, student in self._state.students_of(school):
            person = sourced("student", number)
            for class_, since in student.placements:
                if class_ < 0:
                    continue
                class_id = class_ids.get(class_)
                if class_id is None:
                    class_id = class_ids[class_] = sourced("class", class_)
                    dates[class_] = self._dates_of(class_)
                starts, ends = dates[class_]
                begins = self._within(starts, ends, since)
                yield Enrollment(
                    sourced("e", class_, number), class_, class_id, school, "student", number, person, False, begins,
                    ends, since,
                )  # fmt: skip

    def _enrollment(
        self, index: int, class_id: str, state: ClassState, kind: Literal["student", "teacher"], person: int,
        is_primary: bool, since: int,
    ) -> Enrollment:  # fmt: skip
        starts, ends = self._dates_of(index)
        return Enrollment(
            self.district.ids.sourced("et", index, person), index, class_id, state.school, kind, person,
            self.person_sourced_id(kind, person), is_primary, self._within(starts, ends, since), ends, since,
        )  # fmt: skip

    def _dates_of(self, index: int) -> tuple[str, str]:
        """A class's first and last day: an enrollment has to be within its class's terms."""
        terms = [self.term(number) for number in self._terms_of(index, self._state.class_(index))]
        return min(term.starts_on for term in terms), max(term.ends_on for term in terms)

    def _within(self, starts: str, ends: str, since: int) -> str:
        """The day on which an enrollment begins: with its class, or later but within the class's terms."""
        return starts if since == 1 else min(max(starts, self.district.date_of(since).isoformat()), ends)


_TERMS = (
    ("{0}-{1} School Year", "{0}-08-17", "{1}-06-11", -1),
    ("Fall {0}", "{0}-08-17", "{1}-01-15", 0),
    ("Spring {1}", "{1}-01-19", "{1}-06-11", 0),
    ("Quarter 1", "{0}-08-17", "{0}-10-23", 1),
    ("Quarter 2", "{0}-10-26", "{1}-01-15", 1),
    ("Quarter 3", "{1}-01-19", "{1}-03-26", 2),
    ("Quarter 4", "{1}-03-29", "{1}-06-11", 2),
)

__all__ = ["Churn", "DistrictDay", "MadeUpDistrict", "Office", "StudentState"]
