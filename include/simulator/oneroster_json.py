"""OneRoster's JSON objects, 1.1 and 1.2, of a made-up district's records."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from include.simulator import oneroster_records as view
from include.simulator.district import DistrictDay
from include.simulator.records import Class, Course, Enrollment, Person, School, Term

Json = dict[str, Any]
_ALWAYS: Final = "sourcedId status dateLastModified metadata "
FIELDS: Final[dict[str, frozenset[str]]] = {
    name: frozenset((_ALWAYS + more).split())
    for name, more in {
        "orgs": "name type identifier parent children",
        "academicSessions": "title type startDate endDate parent children schoolYear",
        "courses": "title schoolYear courseCode grades subjects org subjectCodes resources",
        "classes": "title classCode classType location grades subjects course school terms subjectCodes periods "
        "resources",
        "users 1.1": "username userIds enabledUser givenName familyName middleName role identifier email sms phone "
        "agents orgs grades password",
        "users 1.2": "userMasterIdentifier username userIds enabledUser givenName familyName middleName "
        "preferredFirstName preferredMiddleName preferredLastName pronouns roles userProfiles primaryOrg identifier "
        "email sms phone agents grades password resources",
        "enrollments": "user class school role primary beginDate endDate",
        "demographics": "birthDate sex americanIndianOrAlaskaNative asian blackOrAfricanAmerican "
        "nativeHawaiianOrOtherPacificIslander white demographicRaceTwoOrMoreRaces hispanicOrLatinoEthnicity "
        "countryOfBirthCode stateOfBirthAbbreviation cityOfBirth publicSchoolResidenceStatus",
    }.items()
}
"""The fields that each kind of object may have, by the specification."""


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))


def dump(record: Json) -> bytes:
    """A record as it goes over the wire."""
    return _ENCODER.encode(record).encode()


@dataclass(frozen=True)
class JsonView:
    """The objects of one day."""

    day: DistrictDay
    base: str
    """The address that references start with, up to and without a collection's name."""
    version: str

    def makers(self) -> dict[str, Callable[[], Iterator[Json]]]:
        """The stored collections; all others are parts of these."""
        return {
            "orgs": self.orgs, "academicSessions": self.terms, "courses": self.courses, "classes": self.classes,
            "users": self.users, "enrollments": self.enrollments, "demographics": self.demographics,
        }  # fmt: skip

    def _head(self, sourced_id: str, changed_day: int) -> Json:
        stamp = self.day.district.timestamp(changed_day)
        return {"sourcedId": sourced_id, "status": "active", "dateLastModified": stamp}

    def _ref(self, path: str, sourced_id: str, kind: str) -> Json:
        return {"href": f"{self.base}/{path}/{sourced_id}", "sourcedId": sourced_id, "type": kind}

    def _org_ref(self, school: int) -> Json:
        return self._ref("orgs", self.day.school_sourced_id(school), "org")

    # -- organizations, sessions, courses, classes ----------------------------------------------------------------

    def orgs(self) -> Iterator[Json]:
        """The district and its schools."""
        office = self.day.district.office
        schools = list(self.day.schools())
        district = self._head(office.sourced_id, self.day.schools_changed_day)
        district |= {"name": office.name, "type": "district", "identifier": office.sis_id}
        district["metadata"] = {"ncesId": office.nces_id}
        district["children"] = [self._org_ref(school.key) for school in schools]
        yield district
        for school in schools:
            yield self.school(school)

    def school(self, school: School) -> Json:
        """One school."""
        record = self._head(school.sourced_id, school.modified_day)
        record |= {"name": school.name, "type": "school", "identifier": school.sis_id, "parent": self._org_ref(-1)}
        record["metadata"] = {"stateId": school.state_id, "ncesId": school.nces_id}
        return record

    def terms(self) -> Iterator[Json]:
        """The academic sessions."""
        terms = list(self.day.terms())
        for term in terms:
            yield self.term(term, terms)

    def term(self, term: Term, terms: list[Term]) -> Json:
        """One academic session."""
        record = self._head(term.sourced_id, term.modified_day)
        record |= {"title": term.title, "type": term.type, "startDate": term.starts_on, "endDate": term.ends_on}
        if term.parent >= 0:
            record["parent"] = self._session_ref(terms[term.parent].sourced_id)
        record["children"] = [self._session_ref(other.sourced_id) for other in terms if other.parent == term.key]
        record["schoolYear"] = term.school_year
        return record

    def _session_ref(self, sourced_id: str) -> Json:
        return self._ref("academicSessions", sourced_id, "academicSession")

    def courses(self) -> Iterator[Json]:
        """The courses."""
        year = self.day.term(0).sourced_id
        for course in self.day.courses():
            yield self.course(course, year)

    def course(self, course: Course, year: str) -> Json:
        """One course."""
        record = self._head(course.sourced_id, 1)
        record |= {"title": course.title, "schoolYear": self._session_ref(year), "courseCode": course.code}
        record |= {"grades": [course.grade], "subjects": [course.subject], "org": self._org_ref(-1)}
        return {**record, "subjectCodes": [course.subject_code]}

    def classes(self) -> Iterator[Json]:
        """The classes."""
        terms = [term.sourced_id for term in self.day.terms()]
        for class_ in self.day.classes():
            yield self.class_(class_, terms)

    def class_(self, class_: Class, terms: list[str]) -> Json:
        """One class."""
        record = self._head(class_.sourced_id, class_.modified_day)
        course = self.day.district.ids.sourced("course", class_.course)
        return {
            **record, "title": class_.title, "classCode": class_.code,
            "classType": "homeroom" if class_.is_homeroom else "scheduled", "location": class_.location,
            "grades": [class_.grade], "subjects": [class_.subject], "course": self._ref("courses", course, "course"),
            "school": self._org_ref(class_.school), "terms": [self._session_ref(terms[term]) for term in class_.terms],
            "subjectCodes": [class_.subject_code], "periods": [class_.period],
        }  # fmt: skip

    # -- people ---------------------------------------------------------------------------------------------------

    def users(self) -> Iterator[Json]:
        """Everyone."""
        for person in self.day.users():
            yield self.user(person)

    def user(self, person: Person) -> Json:
        """One person."""
        record = self._head(person.sourced_id, person.modified_day)
        record |= {
            "metadata": {"stateId": person.state_id}, "username": person.username,
            "userIds": [{"type": "SIS", "identifier": person.sis_id}, {"type": "State", "identifier": person.state_id}],
            "enabledUser": "true" if person.is_enabled else "false", "givenName": person.given_name,
            "familyName": person.family_name, "identifier": person.sis_id,
        }  # fmt: skip
        if person.middle_name:
            record["middleName"] = person.middle_name
        if person.email:
            record["email"] = person.email
        record["phone"] = person.phone
        record["agents"] = [self._ref("users", agent, "user") for agent in view.agent_ids(self.day, person)]
        record["grades"] = [person.grade] if person.grade else []
        return record | (self._user_1_1(person) if self.version == "1.1" else self._user_1_2(person))

    def _user_1_1(self, person: Person) -> Json:
        return {
            "role": view.role_1_1(person),
            "orgs": [self._ref("orgs", org, "org") for org in view.org_ids(self.day, person)],
        }

    def _user_1_2(self, person: Person) -> Json:
        profile = f"urn:uuid:{view.profile_id(self.day, person)}"
        roles = []
        for number, held in enumerate(person.roles):
            role = {"roleType": "primary" if held.is_primary else "secondary", "role": held.role}
            roles.append({**role, "org": self._org_ref(held.school)})
            if number == 0 and view.has_profile(person):
                roles[-1]["userProfile"] = profile
        record: Json = {"userMasterIdentifier": person.sourced_id[:18], "roles": roles}
        record["primaryOrg"] = self._ref("orgs", view.org_ids(self.day, person)[0], "org")
        if preferred := view.preferred_given_name(person):
            record["preferredFirstName"] = preferred
        if pronouns := view.pronouns(person):
            record["pronouns"] = pronouns
        if view.has_profile(person):
            credentials = [{"type": "username", "username": person.username}]
            record["userProfiles"] = [
                {"profileId": profile, "profileType": "portal", "vendorId": "vendor.example.org",
                 "applicationId": "default", "credentials": credentials}
            ]  # fmt: skip
        return record

    def enrollments(self) -> Iterator[Json]:
        """Who is in which class."""
        schools: dict[int, Json] = {}
        for line in self.day.enrollments():
            school = schools.get(line.school)
            if school is None:
                school = schools[line.school] = self._org_ref(line.school)
            yield self.enrollment(line, school)

    def enrollment(self, line: Enrollment, school: Json) -> Json:
        """One enrollment."""
        record = self._head(line.sourced_id, line.since_day)
        return {
            **record, "user": self._ref("users", line.person_sourced_id, "user"),
            "class": self._ref("classes", line.class_sourced_id, "class"), "school": school, "role": line.kind,
            "primary": "true" if line.is_primary else "false", "beginDate": line.begins_on, "endDate": line.ends_on,
        }  # fmt: skip

    def demographics(self) -> Iterator[Json]:
        """What the students' demographics hold; the race flags are left out, as most districts do."""
        for person in self.day.users("student"):
            record = self._head(person.sourced_id, person.modified_day)
            yield {**record, "birthDate": person.birth_date, "sex": person.sex, "countryOfBirthCode": "US"}
