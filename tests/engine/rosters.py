"""Tiny rosters of Python records: written as OneRoster CSV files, or given to the engine by a source in memory."""

from __future__ import annotations

import copy
import csv
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roster_sync.core.vocabulary import COLLECTIONS
from roster_sync.sources.base import CollectionReport, FeedReport, ProbeReport, Sink
from roster_sync.sources.oneroster_csv.header import FILES

Record = dict[str, str]


@dataclass
class Roster:
    """What a district shares, record by record, in the columns of model.COLLECTIONS."""

    collections: dict[str, list[Record]] = field(default_factory=lambda: {name: [] for name in COLLECTIONS})

    def add(self, collection: str, record: Record) -> Roster:
        self.collections[collection].append(record)
        return self

    def school(self, source_id: str, **more: str) -> Roster:
        return self.add("orgs", {"source_id": source_id, "status": "active", "name": f"School {source_id}",
                                 "type": "school", "identifier": f"sis-{source_id}", **more})  # fmt: skip

    def user(self, source_id: str, role: str, *schools: str, **more: str) -> Roster:
        return self.add("users", {
            "source_id": source_id, "status": "active", "is_enabled": "true", "org_source_ids": ",".join(schools),
            "role": role, "username": f"user-{source_id}", "given_name": f"Given-{source_id}",
            "family_name": f"Family-{source_id}", "identifier": f"sis-{source_id}",
            "email": f"{source_id}@people.example", "grades": "07" if role == "student" else "", **more,
        })  # fmt: skip

    def teacher(self, source_id: str, *schools: str, **more: str) -> Roster:
        return self.user(source_id, "teacher", *schools, **more)

    def student(self, source_id: str, *schools: str, **more: str) -> Roster:
        return self.user(source_id, "student", *schools, **more)

    def students(self, prefix: str, count: int, *schools: str) -> list[str]:
        """Many students; returns their ids."""
        ids = [f"{prefix}{number}" for number in range(1, count + 1)]
        for source_id in ids:
            self.student(source_id, *schools)
        return ids

    def klass(
        self, source_id: str, school: str, *, teacher: str = "", students: Iterable[str] = (), **more: str
    ) -> Roster:
        self.add("classes", {"source_id": source_id, "status": "active", "title": f"Class {source_id}",
                             "class_code": f"sis-{source_id}", "school_source_id": school, "grades": "07",
                             "periods": "1", **more})  # fmt: skip
        if teacher:
            self.enroll(source_id, teacher, "teacher", is_primary="true")
        for student in students:
            self.enroll(source_id, student)
        return self

    def enroll(self, klass: str, user: str, role: str = "student", **more: str) -> Roster:
        return self.add("enrollments", {"source_id": f"e-{klass}-{user}", "status": "active",
                                        "class_source_id": klass, "user_source_id": user, "role": role,
                                        "is_primary": "false", **more})  # fmt: skip

    def term(self, source_id: str, title: str, starts_on: str, ends_on: str) -> Roster:
        return self.add("terms", {"source_id": source_id, "status": "active", "title": title, "type": "term",
                                  "starts_on": starts_on, "ends_on": ends_on})  # fmt: skip

    def copy(self) -> Roster:
        return copy.deepcopy(self)

    def without(self, *source_ids: str) -> Roster:
        """A copy without these records, nor the enrollments that name them."""
        gone = set(source_ids)
        return self._filtered(lambda record: not gone & {record["source_id"], record.get("class_source_id"),
                                                         record.get("user_source_id")})  # fmt: skip

    def without_rows(self, *source_ids: str) -> Roster:
        """A copy without the records of these ids; what names them stays."""
        return self._filtered(lambda record: record["source_id"] not in source_ids)

    def without_all(self, *collections: str) -> Roster:
        """A copy in which these collections came, and hold nothing."""
        other = self.copy()
        for name in collections:
            other.collections[name] = []
        return other

    def _filtered(self, keep: Any) -> Roster:
        return Roster({name: [dict(record) for record in records if keep(record)]
                       for name, records in self.collections.items()})  # fmt: skip

    def with_(self, source_id: str, /, **values: str) -> Roster:
        """A copy in which every record of this id has other values."""
        other = self.copy()
        found = [record for records in other.collections.values() for record in records
                 if record["source_id"] == source_id]  # fmt: skip
        assert found, f"no record {source_id}"
        for record in found:
            record.update(values)
        return other

    def renamed(self, ids: Mapping[str, str]) -> Roster:
        """A copy in which ids are others, wherever they are named; all else stays."""

        def new(value: str) -> str:
            return ",".join(ids.get(part, part) for part in value.split(","))

        return Roster({name: [{column: new(value) if column.endswith(("source_id", "source_ids")) else value
                               for column, value in record.items()} for record in records]
                       for name, records in self.collections.items()})  # fmt: skip

    def all_renamed(self) -> Roster:
        """As another issuer would send it: every id is another."""
        ids = {record["source_id"]: f"x-{record['source_id']}" for records in self.collections.values()
               for record in records}  # fmt: skip
        return self.renamed(ids)

    def reversed(self) -> Roster:
        """The same records in the other order."""
        return Roster({name: [dict(record) for record in reversed(records)]
                       for name, records in self.collections.items()})  # fmt: skip


@dataclass
class MemorySource:
    """A source whose records are a Roster; says of itself whatever a test needs it to say."""

    roster: Roster
    issuer: str = "memory:one"
    incomplete: Mapping[str, str] = field(default_factory=dict)
    """Collection -> why it did not come whole."""
    not_shared: tuple[str, ...] = ("roles",)
    """Collections of which the report says nothing."""
    adds_only: str = ""
    revision: str | None = None
    rejects: tuple[dict[str, Any], ...] = ()
    """Records that could not be read: arguments of Sink.reject."""

    def probe(self) -> ProbeReport:
        return ProbeReport(issuer=self.issuer)

    def fetch(self, sink: Sink) -> FeedReport:
        report = FeedReport(self.issuer, revision=self.revision, adds_only=self.adds_only)
        for name, columns in COLLECTIONS.items():
            if name in self.not_shared:
                continue
            records = self.roster.collections[name]
            rows = [[record.get(column) or None for column in columns] for record in records]
            received = sink.copy_rows(name, columns, rows)
            reason = self.incomplete.get(name, "")
            report.collections[name] = CollectionReport(received, len(rows), not reason, reason)
        for reject in self.rejects:
            sink.reject(**reject)
        return report


def delta(roster: Roster, **more: Any) -> MemorySource:
    """A source that sends only what changed: no collection proves an absence."""
    return MemorySource(roster, incomplete=dict.fromkeys(COLLECTIONS, "This is a delta file."), **more)


CSV_1_1 = {
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    "courses": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,"
               "subjectCodes",
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
               "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
    "users": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,"
             "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
                   "beginDate,endDate",
}  # fmt: skip
CSV_1_2 = CSV_1_1 | {
    "users": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,"
             "identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,"
             "preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns",
    "roles": "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,"
             "userProfileSourcedId",
}  # fmt: skip


def csv_files(
    roster: Roster, *, version: str = "1.1", mode: str = "bulk", modes: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The roster as OneRoster CSV files, by name; `modes` says of single files whether they are bulk or delta."""
    headers = CSV_1_2 if version == "1.2" else CSV_1_1
    manifest = {"manifest.version": "1.0", "oneroster.version": version}
    files: dict[str, str] = {}
    for spec in FILES:
        header = headers.get(spec.name)
        manifest[f"file.{spec.name}"] = (modes or {}).get(spec.name, mode) if header else "absent"
        if header is None:
            continue
        names = header.split(",")
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(names)
        for record in roster.collections[spec.collection]:
            writer.writerow([record.get(spec.columns.get(name, ""), "") for name in names])
        files[f"{spec.name}.csv"] = text.getvalue()
    lines = ["propertyName,value", *(f"{name},{value}" for name, value in manifest.items())]
    return {"manifest.csv": "\r\n".join(lines) + "\r\n"} | files


def write_zip(path: Path, files: Mapping[str, str]) -> Path:
    """The files as a zip, each text as UTF-8."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def town() -> Roster:
    """Two schools with two classes each: t1, t2 teach a1..a4 in S1, t3, t4 teach b1..b4 in S2."""
    roster = Roster().school("S1").school("S2")
    for school, teachers, pupils in (("S1", ("t1", "t2"), "a"), ("S2", ("t3", "t4"), "b")):
        for number, teacher in enumerate(teachers, 1):
            roster.teacher(teacher, school)
            ids = [f"{pupils}{number * 2 - 1}", f"{pupils}{number * 2}"]
            for source_id in ids:
                roster.student(source_id, school)
            roster.klass(f"c-{teacher}", school, teacher=teacher, students=ids)
    return roster
