"""Clever's JSON objects (v3.0 and v3.1) of a made-up district's records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from include.simulator.district import DistrictDay
from include.simulator.ids import mix
from include.simulator.oneroster_json import dump
from include.simulator.records import Person, School, Section, Term

__all__ = ["ROLES", "CleverView", "Json", "dump"]

Json = dict[str, Any]
ROLES: Final = ("student", "teacher", "staff", "district_admin", "contact")
GRADES: Final = {"PK": "PreKindergarten", "KG": "Kindergarten", **{f"{year:02d}": str(year) for year in range(1, 13)}}
_STAFF_ROLES: Final = {
    "principal": "Principal", "counselor": "Counselor", "aide": "Aide", "siteAdministrator": "School Administrator",
}  # fmt: skip
_RACES: Final = ("Caucasian", "Asian", "Black or African American", "Two or More Races", "Unknown", "")
_RELATIONSHIPS: Final = {"parent": "Parent", "guardian": "Other", "relative": "Grandparent"}


@dataclass(frozen=True)
class CleverView:
    """The objects of one day, as far as they are shared."""

    day: DistrictDay
    version: str
    shared_schools: frozenset[int] | None = None
    """Indexes of the schools that the district shares; None = all."""
    hidden_students: int | None = None
    """Every k-th student cannot be read ('shared by student'), but sections still name them."""
    keep_empty_sections: bool = False
    sensitive: bool = False
    """Students have attributes that are sensitive and that the sync must ignore."""
    _district: str = field(init=False, default="")
    _year: Json = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        year = self.day.term(0)
        object.__setattr__(self, "_district", self.day.district.office.clever_id)
        object.__setattr__(self, "_year", {"start_date": year.starts_on, "end_date": year.ends_on})

    def makers(self) -> dict[str, Callable[[], Iterator[Json]]]:
        """The collections."""
        return {
            "schools": self.schools, "users": self.users, "sections": self.sections, "courses": self.courses,
            "terms": self.terms, "resources": lambda: iter(()),
        }  # fmt: skip

    def is_shared(self, school: int) -> bool:
        """Whether the district shares a school."""
        return self.shared_schools is None or school in self.shared_schools

    def _stamp(self, day: int) -> str:
        return self.day.district.timestamp(day)

    def _dated(self, record: Json, created: int, modified: int) -> Json:
        return {**record, "created": self._stamp(created), "last_modified": self._stamp(modified)}

    # -- schools, courses, terms ----------------------------------------------------------------------------------

    def schools(self) -> Iterator[Json]:
        """The shared schools."""
        for school in self.day.schools():
            if self.is_shared(school.key):
                yield self.school(school)

    def school(self, school: School) -> Json:
        """One school."""
        record = {
            "id": school.clever_id, "district": self._district, "name": school.name, "sis_id": school.sis_id,
            "school_number": school.sis_id[1:], "state_id": school.state_id, "nces_id": school.nces_id,
            "mdr_number": f"{mix(school.key, 8) % 10_000_000:08d}", "low_grade": GRADES[school.grades[0]],
            "high_grade": GRADES[school.grades[-1]], "phone": f"555-02{school.key % 100:02d}",
            "principal": {"name": school.principal, "email": school.principal_email}, "ext": {},
            "location": {"address": f"{school.key + 1} Example Road", "city": "Example City", "state": "NY",
                         "zip": "00000", "lat": None, "lon": None},
        }  # fmt: skip
        return self._dated(record, school.created_day, school.modified_day)

    def courses(self) -> Iterator[Json]:
        """The courses."""
        for course in self.day.courses():
            record = {"id": course.clever_id, "district": self._district, "name": course.title}
            yield {**record, "number": course.code}

    def terms(self) -> Iterator[Json]:
        """The school year and its semesters: Clever knows no grading periods."""
        for term in self.day.terms():
            if term.type != "gradingPeriod":
                yield self.term(term)

    def term(self, term: Term) -> Json:
        """One term."""
        record = {"id": term.clever_id, "district": self._district, "name": term.title}
        return {**record, "start_date": term.starts_on, "end_date": term.ends_on}

    # -- users ----------------------------------------------------------------------------------------------------

    def users(self) -> Iterator[Json]:
        """Everyone who can be read."""
        for person in self.day.users():
            if self._can_read(person):
                yield self.user(person)

    def _can_read(self, person: Person) -> bool:
        if self.shared_schools is not None and person.schools and not self.shared_schools & set(person.schools):
            return False
        return not (person.kind == "student" and self._is_hidden(person.key))

    def _is_hidden(self, student: int) -> bool:
        return self.hidden_students is not None and student % self.hidden_students == 1 % self.hidden_students

    def user(self, person: Person) -> Json:
        """One person with all their roles."""
        name = {"first": person.given_name, "middle": person.middle_name, "last": person.family_name}
        if person.kind == "contact":
            name = {"first": "", "middle": "", "last": f"{person.given_name} {person.family_name}"}
        record: Json = {
            "id": person.clever_id, "district": self._district, "email": person.email or None, "name": name,
            "roles": self._roles(person),
        }  # fmt: skip
        if self.version == "v3.1":
            record["lms_status"] = {}
        return self._dated(record, person.created_day, person.modified_day)

    def _roles(self, person: Person) -> Json:
        if person.kind == "student":
            return {"student": self._student(person)}
        if person.kind == "contact":
            return {"contact": self._contact(person)}
        roles: Json = {}
        for held in person.roles:
            if held.role == "teacher":
                roles["teacher"] = self._teacher(person)
            elif held.role == "districtAdministrator":
                roles["district_admin"] = {"legacy_id": self._legacy(person, 3), "title": person.title}
            else:
                roles["staff"] = self._staff(person, held.role)
        return roles

    def _legacy(self, person: Person, number: int) -> str:
        return f"{number:02x}{person.clever_id[2:]}"

    def _schools_of(self, person: Person) -> list[str]:
        return [self.day.school_clever_id(school) for school in person.schools if self.is_shared(school)]

    def _student(self, person: Person) -> Json:
        schools = self._schools_of(person)
        year, month, day = person.birth_date.split("-")
        record: Json = {
            "school": schools[0], "schools": schools, "sis_id": person.sis_id, "student_number": person.number,
            "state_id": person.state_id, "grade": GRADES[person.grade], "dob": f"{month}/{day}/{year}",
            "gender": person.sex[0].upper(), "graduation_year": str(self._graduation(person.grade)),
            "enrollments": [{"school": school, **self._year} for school in schools],
            "credentials": {"district_username": person.username}, "ext": {}, "legacy_id": self._legacy(person, 1),
        }  # fmt: skip
        if self.sensitive:
            record |= self._sensitive_attributes(person)
        return self._dated(record, person.created_day, person.modified_day)

    def _sensitive_attributes(self, person: Person) -> Json:
        bits = mix(person.key, 77)
        record: Json = {
            "race": _RACES[bits % len(_RACES)], "hispanic_ethnicity": "NY"[bits >> 3 & 1],
            "ell_status": "NY"[bits >> 4 & 1],
            "location": {"address": f"{bits % 900} Example Lane", "city": "Example City", "state": "NY",
                         "zip": "00000", "lat": None, "lon": None},
        }  # fmt: skip
        if self.version == "v3.1":
            record |= {
                "iep_status": "NY"[bits >> 5 & 1], "gifted_status": "NY"[bits >> 8 & 1],
                "home_language": ("English", "Spanish", "Haitian Creole", "Arabic")[bits >> 6 & 3],
                "frl_status": ("Free", "Reduced", "Paid")[bits % 3],
            }  # fmt: skip
        return record

    def _graduation(self, grade: str) -> int:
        left = {"PK": 14, "KG": 13}.get(grade)
        return self.day.district.first_day.year + (left if left is not None else 13 - int(grade))

    def _teacher(self, person: Person) -> Json:
        schools = self._schools_of(person)
        record: Json = {
            "school": schools[0], "schools": schools, "sis_id": person.sis_id, "teacher_number": person.number,
            "state_id": person.state_id, "title": person.title, "ext": {},
            "credentials": {"district_username": person.username}, "legacy_id": self._legacy(person, 2),
        }  # fmt: skip
        return record

    def _staff(self, person: Person, role: str) -> Json:
        return {
            "staff_id": person.sis_id, "schools": self._schools_of(person), "roles": [_STAFF_ROLES[role]],
            "department": None, "title": person.title, "credentials": {"district_username": person.username},
            "ext": {}, "legacy_id": self._legacy(person, 4),
        }  # fmt: skip

    def _contact(self, person: Person) -> Json:
        relationship = _RELATIONSHIPS[person.roles[0].role]
        related = [
            {"student": self.day.person_clever_id("student", index), "relationship": relationship,
             "type": "Parent/Guardian"}
            for index in person.related
        ]  # fmt: skip
        record: Json = {"sis_id": person.sis_id, "phone": person.phone, "phone_type": "Cell"}
        return {**record, "student_relationships": related, "legacy_id": self._legacy(person, 5)}

    # -- sections -------------------------------------------------------------------------------------------------

    def sections(self) -> Iterator[Json]:
        """The sections of the shared schools."""
        courses = {course.key: course.clever_id for course in self.day.courses()}
        terms = [term.clever_id for term in self.day.terms()]
        for section in self.day.sections():
            if self.is_shared(section.record.school) and (section.students or self.keep_empty_sections):
                yield self.section(section, courses, terms)

    def section(self, section: Section, courses: dict[int, str], terms: list[str]) -> Json:
        """One section; one that runs in two terms is reported as running all year."""
        class_ = section.record
        teachers = [self.day.person_clever_id("teacher", index) for index in section.teachers]
        record: Json = {
            "id": class_.clever_id, "district": self._district, "school": self.day.school_clever_id(class_.school),
            "name": class_.title, "sis_id": class_.sis_id, "section_number": class_.code,
            "course": courses.get(class_.course), "term_id": terms[class_.terms[0] if len(class_.terms) == 1 else 0],
            "teacher": teachers[0] if section.has_lead else None, "teachers": teachers,
            "students": [self.day.person_clever_id("student", index) for index in section.students],
            "subject": class_.subject, "grade": GRADES[class_.grade], "period": class_.period, "ext": {},
        }  # fmt: skip
        if self.version == "v3.1":
            record["lms_status"] = {}
        return self._dated(record, class_.created_day, section.modified_day)
