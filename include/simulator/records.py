"""What a made-up district contains, without any source's vocabulary."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["student", "teacher", "staff", "admin", "contact"]
"""staff = people of one school who do not teach (principal, counselor, aide); admin = people of the district office."""
KINDS: tuple[Kind, ...] = ("admin", "staff", "teacher", "student", "contact")
"""The order in which users are listed; Clever ids ascend in it."""


class School(NamedTuple):
    """A school."""

    key: int
    sourced_id: str
    clever_id: str
    name: str
    sis_id: str
    state_id: str
    nces_id: str
    grades: tuple[str, ...]
    principal: str
    principal_email: str
    created_day: int
    modified_day: int


class PersonRole(NamedTuple):
    """A role that a person has, in OneRoster 1.2's words."""

    role: str
    school: int
    """Index of the school; -1 = the district."""
    is_primary: bool
    """The main one of the person's roles at that school; each school has exactly one."""


class Person(NamedTuple):
    """A person."""

    kind: Kind
    key: int
    sourced_id: str
    clever_id: str
    roles: tuple[PersonRole, ...]
    schools: tuple[int, ...]
    """Indexes of schools, the main one first; empty = only at the district."""
    given_name: str
    middle_name: str
    family_name: str
    email: str
    username: str
    sis_id: str
    state_id: str
    number: str
    grade: str
    """CEDS: PK, KG, 01 to 12; empty for those who are not students."""
    title: str
    is_enabled: bool
    related: tuple[int, ...]
    """A student's contacts, or the student of a contact, by index."""
    birth_date: str
    sex: str
    phone: str
    created_day: int
    modified_day: int


class Course(NamedTuple):
    """A course of the district."""

    key: int
    sourced_id: str
    clever_id: str
    title: str
    code: str
    grade: str
    subject: str
    subject_code: str


class Term(NamedTuple):
    """A school year, semester or grading period."""

    key: int
    sourced_id: str
    clever_id: str
    title: str
    type: Literal["schoolYear", "semester", "gradingPeriod"]
    starts_on: str
    ends_on: str
    parent: int
    """Index of the term that contains it; -1 = none."""
    school_year: str
    created_day: int
    modified_day: int


class Class(NamedTuple):
    """A class (Clever: section)."""

    key: int
    sourced_id: str
    clever_id: str
    school: int
    course: int
    terms: tuple[int, ...]
    title: str
    code: str
    grade: str
    subject: str
    subject_code: str
    period: str
    location: str
    is_homeroom: bool
    sis_id: str
    created_day: int
    modified_day: int


class Enrollment(NamedTuple):
    """A person in a class."""

    sourced_id: str
    class_index: int
    class_sourced_id: str
    school: int
    kind: Literal["student", "teacher"]
    person: int
    person_sourced_id: str
    is_primary: bool
    begins_on: str
    ends_on: str
    since_day: int


class Section(NamedTuple):
    """A class with the people in it, by index."""

    record: Class
    teachers: tuple[int, ...]
    """The lead teacher first, if there is one."""
    has_lead: bool
    students: tuple[int, ...]
    modified_day: int
    """The last day on which the class or its people changed."""
