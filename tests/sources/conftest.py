"""What the tests of the sources share: a sink that keeps rows in memory, and makers of CSV rosters."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from roster_sync.core.vocabulary import COLLECTIONS
from roster_sync.sources.base import CopyRefused, FeedReport

Record = dict[str, str | None]


@dataclass
class MemorySink:
    """Keeps what a source gives; refuses CSV where PostgreSQL's COPY does, joins lines where it does."""

    rows: dict[str, list[Record]] = field(default_factory=dict)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    discards: int = 0
    refused: int = 0

    def copy_csv(self, collection: str, columns: Sequence[str | None], stream: BinaryIO) -> int:
        """Parses as COPY ... (FORMAT csv) does."""
        data = b""
        while chunk := stream.read(8192):
            data += chunk
        try:
            records = [record for record in _copy_like_postgres(data, len(columns)) if any(record)]
        except ValueError:
            self.refused += 1
            raise CopyRefused from None
        self._keep(collection, columns, records)
        return len(records)

    def copy_rows(self, collection: str, columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> int:
        """Takes the rows as they come."""
        taken = [list(row) for row in rows]
        assert all(value is None or isinstance(value, str) for row in taken for value in row)
        self._keep(collection, columns, taken)
        return len(taken)

    def reject(
        self, collection: str, rule: str, message: str, *, source_id: str | None = None, line: int | None = None,
        known: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Remembers the finding."""
        self.rejects.append({
            "collection": collection, "rule": rule, "message": message, "source_id": source_id, "line": line,
            "known": None if known is None else dict(known),
        })  # fmt: skip

    def discard(self) -> None:
        """Forgets all."""
        self.rows.clear()
        self.rejects.clear()
        self.discards += 1

    def enrollments_sink(self) -> AbstractContextManager[MemorySink]:
        """The same sink: a list takes from two threads what each appends."""
        return nullcontext(self)

    def others_are_in(self, report: FeedReport) -> None:
        """Nothing is done before the end."""

    def ids(self, collection: str) -> list[str | None]:
        """The ids taken, in order."""
        return [row["source_id"] for row in self.rows.get(collection, [])]

    def _keep(self, collection: str, columns: Sequence[str | None], rows: Iterable[Sequence[str | None]]) -> None:
        kept = [column for column in columns if column is not None]
        assert len(set(kept)) == len(kept)
        assert set(kept) <= set(COLLECTIONS[collection])
        for row in rows:
            named = dict(zip(columns, row, strict=True))
            self.rows.setdefault(collection, []).append({column: named[column] for column in kept})


def _copy_like_postgres(data: bytes, width: int) -> list[list[str | None]]:
    """PostgreSQL 18's rules: a quote toggles anywhere, line ends must be of one kind, no blank or ragged line."""
    text = data.decode("utf-8")
    if "\x00" in text:
        raise ValueError("NUL")
    records: list[list[str | None]] = []
    fields: list[str | None] = []
    value, is_quoted, was_quoted, ends = "", False, False, set()
    place = 0
    while place < len(text):
        char = text[place]
        if is_quoted:
            if char == '"' and text[place + 1 : place + 2] == '"':
                value, place = value + '"', place + 1
            elif char == '"':
                is_quoted = False
            else:
                value += char
        elif char == '"':
            is_quoted = was_quoted = True
        elif char == ",":
            fields.append(value if value or was_quoted else None)
            value, was_quoted = "", False
        elif char in "\r\n":
            end = "\r\n" if text[place : place + 2] == "\r\n" else char
            ends.add(end)
            place += len(end) - 1
            fields.append(value if value or was_quoted else None)
            records.append(fields)
            fields, value, was_quoted = [], "", False
        else:
            value += char
        place += 1
    if is_quoted:
        raise ValueError("unterminated quote")
    if value or fields or was_quoted:
        records.append([*fields, value if value or was_quoted else None])
    if len(ends) > 1 or any(len(record) != width for record in records):
        raise ValueError("line ends or columns")
    return records


HEADERS = {
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
}
ROWS = {
    "orgs": [
        "d1,,,Made-up District,district,D-1,",
        "s1,,,North School,school,S-1,d1",
        "s2,,,South School,school,S-2,d1",
    ],
    "academicSessions": ["t1,,,Autumn,term,2026-08-15,2026-12-20,,2027"],
    "courses": ["c1,,,,Algebra,ALG1,09,d1,Mathematics,"],
    "classes": [
        'k1,,,Algebra 1,"09,10",c1,ALG1-1,scheduled,R1,s1,t1,Mathematics,,1',
        "k2,,,Algebra 2,10,c1,ALG1-2,scheduled,R2,s2,t1,Mathematics,,2",
    ],
    "users": [
        "u1,,,true,s1,teacher,tina.t,,Tina,Testcase,,T-1,tina@example.com,,555,,,secret",
        'u2,,,true,"s1,s2",student,sam.s,{LDAP:7},Sam,Sample,,P-2,sam@example.org,,,,09,secret',
        "u3,,,false,s2,student,pat.p,,Pat,Pattern,,P-3,,,,,10,",
    ],
    "enrollments": [
        "e1,,,k1,s1,u1,teacher,true,2026-08-15,2026-12-20",
        "e2,,,k1,s1,u2,student,false,,",
        "e3,,,k2,s2,u3,student,,,",
    ],
}
MODES = {
    "academicSessions": "bulk", "classes": "bulk", "courses": "bulk", "demographics": "absent", "enrollments": "bulk",
    "orgs": "bulk", "users": "bulk",
}  # fmt: skip


@dataclass
class CsvRoster:
    """A small whole roster in OneRoster CSV, to be spoilt in one place by each test."""

    files: dict[str, bytes]
    modes: dict[str, str] = field(default_factory=lambda: dict(MODES))
    version: str = "1.1"
    has_manifest: bool = True

    def text(self, name: str) -> str:
        """One file's text."""
        return self.files[name].decode()

    def replace(self, name: str, old: str, new: str) -> None:
        """Changes a piece of one file, which must be there."""
        assert old in self.text(name), old
        self.files[name] = self.text(name).replace(old, new, 1).encode()

    def members(self) -> dict[str, bytes]:
        """All files by name."""
        manifest = f"propertyName,value\r\nmanifest.version,1.0\r\noneroster.version,{self.version}\r\n"
        manifest += "".join(f"file.{name},{mode}\r\n" for name, mode in self.modes.items())
        start = {"manifest.csv": manifest.encode()} if self.has_manifest else {}
        return start | {f"{name}.csv": data for name, data in self.files.items()}

    def zip(self, folder: Path, prefix: str = "", name: str = "roster.zip") -> str:
        """Packs the files, in a folder inside the zip where a prefix is given."""
        path = folder / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for member, data in self.members().items():
                packed.writestr(prefix + member, data)
        return str(path)

    def folder(self, folder: Path) -> str:
        """Writes the files into a folder."""
        folder.mkdir(exist_ok=True)
        for member, data in self.members().items():
            (folder / member).write_bytes(data)
        return str(folder)


@pytest.fixture
def roster() -> CsvRoster:
    """Two schools, two classes, a teacher and two students, as OneRoster 1.1 in bulk."""
    files = {name: "\r\n".join([HEADERS[name], *rows, ""]).encode() for name, rows in ROWS.items()}
    return CsvRoster(files)


@pytest.fixture
def roster_v12(roster: CsvRoster) -> CsvRoster:
    """The same roster as OneRoster 1.2: roles in a file of their own."""
    roster.version = "1.2"
    users = [line.split(",") for line in roster.text("users").replace('"s1,s2"', "s1").splitlines()]
    kept = [[*line[:4], *line[6:], place, "s1"] for place, line in enumerate(users)]
    kept[0][-2:] = ["userMasterIdentifier", "primaryOrgSourcedId"]
    roster.files["users"] = "\n".join(",".join(map(str, line)) for line in [*kept]).encode() + b"\n"
    roster.files["roles"] = (
        b"sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,"
        b"userProfileSourcedId\nr1,,,u1,primary,teacher,,,s1,\nr2,,,u2,primary,student,,,s1,\n"
        b"r3,,,u2,secondary,student,,,s2,\nr4,,,u3,primary,student,,,s2,\n"
    )
    roster.modes["roles"] = "bulk"
    return roster


@pytest.fixture
def sink() -> MemorySink:
    """An empty sink."""
    return MemorySink()
