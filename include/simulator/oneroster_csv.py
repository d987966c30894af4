"""Writes a day of a made-up district as OneRoster CSV: 1.1 or 1.2, bulk or delta, zip or folder."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TextIO

from include.simulator import oneroster_records as view
from include.simulator.district import DistrictDay
from include.simulator.records import Class, Course, Enrollment, Person, School, Term

Version = Literal["1.1", "1.2"]
_ALWAYS = "sourcedId,status,dateLastModified,"
_USERS_1_2 = (
    "enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,"
    "password,userMasterIdentifier,preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns"
)
HEADERS: Final[dict[str, str]] = {
    "orgs": _ALWAYS + "name,type,identifier,parentSourcedId",
    "academicSessions": _ALWAYS + "title,type,startDate,endDate,parentSourcedId,schoolYear",
    "courses": _ALWAYS + "schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes",
    "classes": _ALWAYS + "title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,"
    "subjects,subjectCodes,periods",
    "users 1.1": _ALWAYS + "enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,"
    "email,sms,phone,agentSourcedIds,grades,password",
    "users 1.2": _ALWAYS + _USERS_1_2,
    "roles": _ALWAYS + "userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId",
    "userProfiles": _ALWAYS + "userSourcedId,profileType,vendorId,applicationId,description,credentialType,username,"
    "password",
    "enrollments": _ALWAYS + "classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate",
    "demographics": _ALWAYS + "birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,"
    "nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,"
    "countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus",
}
"""The header of each file, in the order of the specification."""
_METADATA: Final = {"orgs": ("metadata.stateId", "metadata.ncesId"), "users": ("metadata.stateId",)}
_ALL_FILES_1_1: Final = (
    "academicSessions", "categories", "classes", "classResources", "courseResources", "courses", "demographics",
    "enrollments", "lineItems", "orgs", "resources", "results", "users",
)  # fmt: skip
_MORE_FILES_1_2: Final = (
    "lineItemLearningObjectiveIds", "lineItemScoreScales", "resultLearningObjectiveIds", "resultScoreScales", "roles",
    "scoreScales", "userProfiles", "userResources",
)  # fmt: skip


class Row(NamedTuple):
    """A line before it is written; identity and time are separate because bulk files leave the time out."""

    sourced_id: str
    changed_day: int
    values: tuple[str, ...]
    metadata: tuple[str, ...] = ()


@dataclass(frozen=True)
class CsvOptions:
    """How the files are written."""

    version: Version = "1.1"
    bom: bool = False
    crlf: bool = False
    metadata: bool = False
    """Adds metadata.stateId and metadata.ncesId columns to orgs and users."""
    shuffle: int | None = None
    """Another order of rows for each number; None = unchanged. Holds one file in memory."""
    demographics: bool = False
    folder: str = ""
    """A folder inside the zip, as some exports have."""
    compress: bool = True


def write_csv(
    day: DistrictDay, out: str | Path, options: CsvOptions | None = None, delta_from: DistrictDay | None = None
) -> Path:
    """Writes a zip (if `out` ends in .zip) or a folder; with `delta_from`, only what changed since that day."""
    options, path = options or CsvOptions(), Path(out)
    target = _Zip(path, options) if path.suffix == ".zip" else _Folder(path, options)
    with target:
        tables = _tables(options)
        with target.open("manifest") as stream:
            _writer(stream, options).writerows(_manifest(day, options, list(tables), delta_from is not None))
        for name, rows in tables.items():
            with target.open(name) as stream:
                _write_table(stream, name, rows, day, options, delta_from)
    return path


def _tables(options: CsvOptions) -> dict[str, Callable[[DistrictDay], Iterable[Row]]]:
    tables: dict[str, Callable[[DistrictDay], Iterable[Row]]] = {
        "orgs": _orgs, "academicSessions": _terms, "courses": _courses, "classes": _classes,
        "users": _users_1_1 if options.version == "1.1" else _users_1_2,
    }  # fmt: skip
    if options.version == "1.2":
        tables |= {"roles": _roles, "userProfiles": _profiles}
    tables["enrollments"] = _enrollments
    if options.demographics:
        tables["demographics"] = _demographics
    return tables


def _manifest(day: DistrictDay, options: CsvOptions, written: list[str], is_delta: bool) -> Iterator[tuple[str, str]]:
    yield from (("propertyName", "value"), ("manifest.version", "1.0"), ("oneroster.version", options.version))
    names = _ALL_FILES_1_1 if options.version == "1.1" else tuple(sorted(_ALL_FILES_1_1 + _MORE_FILES_1_2))
    for name in names:
        yield f"file.{name}", ("delta" if is_delta else "bulk") if name in written else "absent"
    yield "source.systemName", day.district.name
    yield "source.systemCode", f"SIM-{day.district.seed}"


def _write_table(
    stream: TextIO, name: str, rows: Callable[[DistrictDay], Iterable[Row]], day: DistrictDay, options: CsvOptions,
    delta_from: DistrictDay | None,
) -> None:  # fmt: skip
    header = HEADERS.get(name) or HEADERS[f"{name} {options.version}"]
    extra = _METADATA.get(name, ()) if options.metadata else ()
    writer = _writer(stream, options)
    writer.writerow([*header.split(","), *extra])
    if delta_from is not None:
        lines: Iterable[tuple[str, ...]] = _delta_lines(rows, delta_from, day, bool(extra))
    elif extra:
        lines = ((row.sourced_id, "", "", *row.values, *row.metadata) for row in rows(day))
    else:
        lines = ((row.sourced_id, "", "", *row.values) for row in rows(day))
    if options.shuffle is not None:
        lines = list(lines)
        random.Random(f"{name}-{options.shuffle}").shuffle(lines)  # noqa: S311 - an order, not a secret
    writer.writerows(lines)


def _delta_lines(
    rows: Callable[[DistrictDay], Iterable[Row]], before: DistrictDay, after: DistrictDay, has_metadata: bool
) -> Iterator[tuple[str, ...]]:
    there = set()
    stamp = after.district.timestamp
    for row in rows(after):
        there.add(row.sourced_id)
        if row.changed_day > before.number:
            metadata = row.metadata if has_metadata else ()
            yield (row.sourced_id, "active", stamp(row.changed_day), *row.values, *metadata)
    for row in rows(before):
        if row.sourced_id not in there:
            metadata = row.metadata if has_metadata else ()
            yield (row.sourced_id, "tobedeleted", stamp(after.number), *row.values, *metadata)


# -- the tables ---------------------------------------------------------------------------------------------------


def _orgs(day: DistrictDay) -> Iterator[Row]:
    office = day.district.office
    yield Row(office.sourced_id, 1, (office.name, "district", office.sis_id, ""), ("", office.nces_id))
    for school in day.schools():
        yield _org(office.sourced_id, school)


def _org(parent: str, school: School) -> Row:
    values = (school.name, "school", school.sis_id, parent)
    return Row(school.sourced_id, school.modified_day, values, (school.state_id, school.nces_id))


def _terms(day: DistrictDay) -> Iterator[Row]:
    terms: list[Term] = list(day.terms())
    for term in terms:
        parent = terms[term.parent].sourced_id if term.parent >= 0 else ""
        values = (term.title, term.type, term.starts_on, term.ends_on, parent, term.school_year)
        yield Row(term.sourced_id, term.modified_day, values)


def _courses(day: DistrictDay) -> Iterator[Row]:
    year, office = day.term(0).sourced_id, day.district.office.sourced_id
    for course in day.courses():
        yield _course(year, office, course)


def _course(year: str, office: str, course: Course) -> Row:
    values = (year, course.title, course.code, course.grade, office, course.subject, course.subject_code)
    return Row(course.sourced_id, 1, values)


def _classes(day: DistrictDay) -> Iterator[Row]:
    terms = [term.sourced_id for term in day.terms()]
    for class_ in day.classes():
        yield _class(day, terms, class_)


def _class(day: DistrictDay, terms: list[str], class_: Class) -> Row:
    values = (
        class_.title, class_.grade, day.district.ids.sourced("course", class_.course), class_.code,
        "homeroom" if class_.is_homeroom else "scheduled", class_.location, day.school_sourced_id(class_.school),
        ",".join(terms[term] for term in class_.terms), class_.subject, class_.subject_code, class_.period,
    )  # fmt: skip
    return Row(class_.sourced_id, class_.modified_day, values)


def _user_ids(person: Person) -> str:
    return f"{{SIS:{person.sis_id}}},{{State:{person.state_id}}}"


def _users_1_1(day: DistrictDay) -> Iterator[Row]:
    for person in day.users():
        values = (
            _flag(person.is_enabled), ",".join(view.org_ids(day, person)), view.role_1_1(person), person.username,
            _user_ids(person), person.given_name, person.family_name, person.middle_name, person.sis_id, person.email,
            "", person.phone, ",".join(view.agent_ids(day, person)), person.grade, "",
        )  # fmt: skip
        yield Row(person.sourced_id, person.modified_day, values, (person.state_id,))


def _users_1_2(day: DistrictDay) -> Iterator[Row]:
    for person in day.users():
        values = (
            _flag(person.is_enabled), person.username, _user_ids(person), person.given_name, person.family_name,
            person.middle_name, person.sis_id, person.email, "", person.phone,
            ",".join(view.agent_ids(day, person)), person.grade, "", person.sourced_id[:18],
            view.preferred_given_name(person), "", "", view.org_ids(day, person)[0], view.pronouns(person),
        )  # fmt: skip
        yield Row(person.sourced_id, person.modified_day, values, (person.state_id,))


def _roles(day: DistrictDay) -> Iterator[Row]:
    for person in day.users():
        for number, held in enumerate(person.roles):
            profile = view.profile_id(day, person) if number == 0 and view.has_profile(person) else ""
            kind = "primary" if held.is_primary else "secondary"
            org = day.school_sourced_id(held.school)
            values = (person.sourced_id, kind, held.role, "", "", org, profile)
            yield Row(view.role_id(day, person, number), person.modified_day, values)


def _profiles(day: DistrictDay) -> Iterator[Row]:
    for person in day.users("teacher"):
        values = (person.sourced_id, "portal", "vendor.example.org", "", "", "username", person.username, "")
        yield Row(view.profile_id(day, person), person.modified_day, values)


def _enrollments(day: DistrictDay) -> Iterator[Row]:
    schools: dict[int, str] = {}
    for line in day.enrollments():
        school = schools.get(line.school)
        if school is None:
            school = schools[line.school] = day.school_sourced_id(line.school)
        yield _enrollment(line, school)


def _enrollment(line: Enrollment, school: str) -> Row:
    values = (
        line.class_sourced_id, school, line.person_sourced_id, line.kind, _flag(line.is_primary), line.begins_on,
        line.ends_on,
    )  # fmt: skip
    return Row(line.sourced_id, line.since_day, values)


def _demographics(day: DistrictDay) -> Iterator[Row]:
    for person in day.users("student"):
        values = (person.birth_date, person.sex, *([""] * 7), "US", "", "", "")
        yield Row(person.sourced_id, person.modified_day, values)


def _flag(value: bool) -> str:
    return "true" if value else "false"


# -- the folder or zip  -------------------------------------------------------------------------------------------


def _writer(stream: TextIO, options: CsvOptions) -> Any:  # the csv module has no public name for its writer's type
    return csv.writer(stream, lineterminator="\r\n" if options.crlf else "\n")


class _Target(ABC):
    def __init__(self, path: Path, options: CsvOptions) -> None:
        self.path, self.options = path, options
        self.encoding = "utf-8-sig" if options.bom else "utf-8"

    def __enter__(self) -> _Target:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @abstractmethod
    def open(self, name: str) -> AbstractContextManager[TextIO]:
        """A file of the roster, to be written."""


class _Folder(_Target):
    def open(self, name: str) -> AbstractContextManager[TextIO]:
        folder = self.path / self.options.folder
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / f"{name}.csv").open("w", encoding=self.encoding, newline="")


class _Zip(_Target):
    def __enter__(self) -> _Zip:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        method = zipfile.ZIP_DEFLATED if self.options.compress else zipfile.ZIP_STORED
        self.archive = zipfile.ZipFile(self.path, "w", method, compresslevel=1 if self.options.compress else None)
        return self

    def __exit__(self, *_: object) -> None:
        self.archive.close()

    def open(self, name: str) -> AbstractContextManager[TextIO]:
        inside = f"{self.options.folder}/{name}.csv" if self.options.folder else f"{name}.csv"
        # A fixed date, so that writing one day twice gives the same bytes.
        entry = zipfile.ZipInfo(inside, (2026, 9, 1, 1, 30, 0))
        entry.compress_type = self.archive.compression
        return io.TextIOWrapper(self.archive.open(entry, "w", force_zip64=True), self.encoding, newline="")
