"""Makes the records of people that the sources share from a district's state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from include.simulator.ids import Identifiers, mix
from include.simulator.names import ascii_slug, family_name, given_name, middle_name
from include.simulator.records import KINDS, Kind, Person, PersonRole
from include.simulator.state import State, StudentState

STAFF_OF_SCHOOL: Final = (("principal", "Principal"), ("counselor", "Counselor"), ("aide", "Classroom Aide"))
OFFICE: Final = (
    ("districtAdministrator", "Superintendent"), ("districtAdministrator", "Data Manager"), ("aide", "Office Aide"),
)  # fmt: skip
_KIND_CODES: Final[dict[Kind, int]] = {kind: 10 + number for number, kind in enumerate(KINDS)}
_CONTACT_ROLES: Final = ("guardian", "parent", "relative")


class Roll:
    """The people of one day."""

    def __init__(self, seed: int, ids: Identifiers, domain: str, state: State, *, has_contacts: bool) -> None:
        """Reads the state; stores no person."""
        self._seed, self._ids, self._domain, self._state = seed, ids, domain, state
        self._has_contacts = has_contacts

    def everyone(self) -> Iterator[Person]:
        """All people, in the order of KINDS, each kind by index."""
        yield from self.office()
        yield from self.staff()
        yield from self.teachers()
        yield from self.students()
        if self._has_contacts:
            yield from self.contacts()

    def clever_id(self, kind: Kind, index: int) -> str:
        """A person's Clever id on this day."""
        return self._ids.clever(self._created(kind, index), 0x20 + KINDS.index(kind), index)

    def _created(self, kind: Kind, index: int) -> int:
        state = self._state
        if kind == "student":
            student = state.students.get(index)
            return student.clever_day if student else 1
        if kind == "teacher":
            return 1 if index < state.layout.teachers else state.teacher(index).created
        if kind == "staff":
            return state.school(index // len(STAFF_OF_SCHOOL)).created
        return state.student(index // 2).created if kind == "contact" else 1

    def _bits(self, kind: Kind, index: int, version: int = 0) -> int:
        return mix(self._seed, _KIND_CODES[kind], index, version)

    def _adult(
        self, kind: Kind, index: int, roles: tuple[PersonRole, ...], schools: tuple[int, ...], title: str, created: int,
        modified: int, version: int = 0,
    ) -> Person:  # fmt: skip
        bits = self._bits(kind, index)
        given, born = given_name(bits), family_name(bits)
        family = family_name(self._bits(kind, index, version)) if version else born
        username = f"{ascii_slug(given)}.{ascii_slug(born)}.{kind[0]}{index}"
        number = f"{kind[0].upper()}{10_000 + index}"
        return Person(
            kind, index, self._ids.sourced(kind, index), self.clever_id(kind, index), roles, schools, given,
            middle_name(bits), family, f"{username}@staff.{self._domain}", username, number, f"5{index:08d}",
            number, "", title, True, (), f"{1958 + bits % 42}-{1 + bits % 12:02d}-{1 + bits % 28:02d}",
            "female" if bits & 1 else "male", f"555-01{bits % 100:02d}", created, modified,
        )  # fmt: skip

    def office(self) -> Iterator[Person]:
        """The people of the district office."""
        for index, (role, title) in enumerate(OFFICE):
            yield self._adult("admin", index, (PersonRole(role, -1, True),), (), title, 1, 1)

    def staff(self) -> Iterator[Person]:
        """Principals, counselors, aides."""
        for school in range(self._state.n_schools):
            if self._state.school(school).is_open:
                for number in range(len(STAFF_OF_SCHOOL)):
                    yield self.staff_member(school, number)

    def staff_member(self, school: int, number: int) -> Person:
        """One of a school's staff; number 0 is the principal."""
        role, title = STAFF_OF_SCHOOL[number]
        day = self._state.school(school).created
        index = school * len(STAFF_OF_SCHOOL) + number
        return self._adult("staff", index, (PersonRole(role, school, True),), (school,), title, day, day)

    def teachers(self) -> Iterator[Person]:
        """Everyone who teaches, or did before being promoted."""
        for index in range(self._state.n_teachers):
            if self._state.teacher(index).is_present:
                yield self.teacher(index)

    def teacher(self, index: int) -> Person:
        """One teacher."""
        teacher = self._state.teacher(index)
        schools = (teacher.school,) if teacher.extra < 0 else (teacher.school, teacher.extra)
        role, title = ("siteAdministrator", "Assistant Principal") if teacher.is_promoted else ("teacher", "Teacher")
        roles = tuple(PersonRole(role, school, True) for school in schools)
        if not teacher.is_promoted and index == 11:
            roles += (PersonRole("districtAdministrator", -1, True),)
        elif not teacher.is_promoted and index % 50 == 11:
            roles += (PersonRole("siteAdministrator", teacher.school, False),)
        return self._adult(
            "teacher", index, roles, schools, title, teacher.created, teacher.modified, teacher.name
        )  # fmt: skip

    def students(self) -> Iterator[Person]:
        """Everyone who learns."""
        state, layout = self._state, self._state.layout
        for plan in layout.plans:
            for index in range(plan.first_student, plan.first_student + plan.students):
                student = state.students.get(index)
                if student is None:
                    yield self.student(index, state.first_student(plan, index))
                elif student.is_present:
                    yield self.student(index, student)
        for index in range(layout.students, state.n_students):
            if state.students[index].is_present:
                yield self.student(index, state.students[index])

    def student(self, index: int, student: StudentState) -> Person:
        """One student."""
        bits = self._bits("student", index)
        given, family = given_name(bits), family_name(bits)
        username = self._student_username(index, given, family, student.email)
        if student.name:
            family = family_name(self._bits("student", index, student.name))
        sis_id = f"{100_000 + index}" if not student.sis else f"{100_000 + index}-{student.sis}"
        schools = (student.school,) if student.extra < 0 else (student.school, student.extra)
        roles = tuple([PersonRole("student", school, True) for school in schools])
        age = _AGES[student.grade]
        return Person(
            "student", index, self._ids.sourced("student", index), self.clever_id("student", index), roles, schools,
            given, middle_name(bits), family, self._student_email(index, username), username, sis_id,
            f"7{index:09d}", f"{200_000 + index}", student.grade, "", index % 211 != 100, self.contacts_of(index),
            f"{2021 - age - (bits & 1)}-{1 + (bits >> 1) % 12:02d}-{1 + (bits >> 5) % 28:02d}",
            "female" if bits & 2 else "male", f"555-01{bits % 100:02d}", student.created, student.modified,
        )  # fmt: skip

    def _student_username(self, index: int, given: str, family: str, version: int) -> str:
        return f"{ascii_slug(given)}.{ascii_slug(family)}{index}" + (f".{version}" if version else "")

    def _student_email(self, index: int, username: str) -> str:
        if index % 97 == 13:
            return ""
        if index % 1009 == 500:
            return f"{username}.example"  # no '@', because sources pass on what people typed
        if index % 131 == 7:  # siblings with one family address
            bits = self._bits("student", index - 1)
            username = self._student_username(index - 1, given_name(bits), family_name(bits), 0)
        return f"{username}@students.{self._domain}"

    def contacts_of(self, student: int) -> tuple[int, ...]:
        """A student's contacts; most have none."""
        if not self._has_contacts or student % 10 != 3:
            return ()
        return (student * 2, student * 2 + 1) if student % 40 == 3 else (student * 2,)

    def contacts(self) -> Iterator[Person]:
        """Parents and guardians, who must not be synced."""
        for index in range(3, self._state.n_students, 10):
            student = self._state.student(index)
            if student.is_present:
                for contact in self.contacts_of(index):
                    yield self.contact(contact, student)

    def contact(self, index: int, student: StudentState) -> Person:
        """One contact."""
        child = index // 2
        role = _CONTACT_ROLES[index % 3]
        person = self._adult(
            "contact", index, (PersonRole(role, student.school, True),), (student.school,), role.title(),
            student.created, student.moved,
        )  # fmt: skip
        email = person.email.replace("@staff.", "@family.")
        if child % 50 == 3:  # a teacher who is also a parent: two records, one address
            email = self.teacher_email(child % self._state.layout.teachers)
        family = family_name(self._bits("student", child))
        return person._replace(family_name=family, email=email, related=(child,))

    def teacher_email(self, index: int) -> str:
        """A teacher's address; a marriage does not change it."""
        bits = self._bits("teacher", index)
        return f"{ascii_slug(given_name(bits))}.{ascii_slug(family_name(bits))}.t{index}@staff.{self._domain}"


_AGES: Final = {"PK": 4, "KG": 5, **{f"{year:02d}": 5 + year for year in range(1, 13)}}
