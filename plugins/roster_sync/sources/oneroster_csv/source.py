"""OneRoster as CSV files: raw bytes straight to the database, line by line only where it refuses them."""

from __future__ import annotations

import csv
import io
import logging
import time
import zipfile
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Final, cast

from fsspec import AbstractFileSystem

from roster_sync.config.districts import SourceSettings
from roster_sync.core.errors import ConfigError, FeedBroken, RosterError, SourceUnavailable
from roster_sync.sources.base import Access, CollectionReport, CopyRefused, FeedReport, ProbeReport, ProbeStep, Sink
from roster_sync.sources.files.archive import Archive, open_archive
from roster_sync.sources.oneroster_csv.header import FILES, FileSpec, map_columns, parse_header
from roster_sync.sources.oneroster_csv.manifest import Manifest, read_manifest
from roster_sync.sources.oneroster_csv.tolerant import TolerantReader, swallows_lines

log = logging.getLogger(__name__)

_LONGEST_HEADER: Final = 1 << 16
_BATCH: Final = 5_000
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class _File:
    """One file that will be read: what it is, its header, and how it is to be taken."""

    spec: FileSpec
    name: str
    header: list[str]
    columns: list[str | None]
    mode: str | None
    """bulk | delta, or None where no manifest says which."""


class _LinesJoined(Exception):
    """The database took several lines as one record, though they are not."""


class OneRosterCsv:
    """A district whose roster arrives as OneRoster 1.1 or 1.2 CSV files in a zip or a folder."""

    def __init__(
        self,
        settings: SourceSettings,
        access: Access | None,
        district_key: str,
        *,
        filesystem: AbstractFileSystem | None = None,
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            settings: `path` is the zip or folder.
            access: what the store is opened with, where `storage_options` are not given.
            district_key: the ids of a file are unique only inside its district.
            filesystem: the store itself, where the caller holds it already.
            storage_options: what fsspec needs to reach the store.
        """
        if not settings.path:
            raise ConfigError("A source of kind oneroster_csv needs a `path`: the zip or folder of the CSV files.")
        self._path = settings.path
        self._filesystem = filesystem
        self._access = access if storage_options is None else Access(extra=storage_options)
        self.issuer = f"oneroster_csv:{district_key}"

    def probe(self) -> ProbeReport:
        """Opens the files and reads their headers and schools; loads nothing."""
        report = ProbeReport(issuer=self.issuer)
        step = "Files"
        try:
            with self._open() as archive:
                report.data_as_of = archive.modified
                report.steps.append(ProbeStep(step, True, f"{len(archive.members)} CSV files found."))
                step = "Headers"
                files = _plan(archive)
                names = ", ".join(file.name for file in files)
                report.steps.append(ProbeStep(step, True, f"All columns are there in {names}."))
                step = "Schools"
                report.schools = _schools(archive, files)
                is_ok = bool(report.schools)
                message = f"{len(report.schools)} schools are shared." if is_ok else (
                    "orgs.csv lists no school: send the organizations of type school.")  # fmt: skip
                report.steps.append(ProbeStep(step, is_ok, message))
        except RosterError as error:
            report.steps.append(ProbeStep(step, False, str(error)))
        return report

    def fetch(self, sink: Sink) -> FeedReport:
        """Streams every file into the sink.

        Raises:
            FeedBroken: a sentence that names file and line and says what to do.
            SourceUnavailable: the store did not answer.
        """
        line_by_line: set[str] = set()
        while True:
            try:
                return self._fetch(sink, line_by_line)
            except _LinesJoined as joined:
                log.warning("%s: the database joined lines at a stray quote; reading it line by line", joined)
                line_by_line.add(str(joined))
                sink.discard()

    def _fetch(self, sink: Sink, line_by_line: set[str]) -> FeedReport:
        report = FeedReport(self.issuer)
        with self._open() as archive, ThreadPoolExecutor(1, "roster-enrollments") as second:
            files = _plan(archive)
            # Nine of ten lines are enrollments: read in parallel to the rest, and to what is done with the rest.
            large = {file.name: second.submit(_load_enrollments, archive, file, sink,
                                              is_raw=file.name not in line_by_line)
                     for file in files if file.spec.collection == "enrollments"}  # fmt: skip
            for file in files:
                if file.name not in large:
                    is_raw = file.name not in line_by_line
                    report.collections[file.spec.collection] = _load(archive, file, sink, is_raw=is_raw)
            sink.others_are_in(report)
            for loading in large.values():
                report.collections["enrollments"] = loading.result()
        roles, users = report.collections.get("roles"), report.collections.get("users")
        if roles and users and users.is_complete and not roles.is_complete:
            # In 1.2 a person's schools are in roles.csv.
            users.is_complete, users.reason = False, roles.reason
        return report

    def _open(self) -> Any:
        return open_archive(self._path, filesystem=self._filesystem, access=self._access)


def _plan(archive: Archive) -> list[_File]:
    """Which files are read, each with its header checked, before the first row is loaded."""
    manifest = Manifest(is_there=False)
    if "manifest.csv" in archive:
        with closing(_Guarded(archive.open("manifest.csv"), "manifest.csv")) as stream:
            manifest = read_manifest(stream.read((1 << 20) + 1))
    elif "users.csv" not in archive:
        raise FeedBroken(f"{archive.label} holds no users.csv: send the OneRoster CSV files, all in one folder.")
    is_v12 = manifest.version == "1.2" or (manifest.version is None and "roles.csv" in archive)
    files = [file for spec in FILES if (file := _plan_file(archive, manifest, spec, is_v12=is_v12))]
    found = {file.spec.name: file for file in files}
    users = found.get("users")
    if users and "role" not in users.columns and "roles" not in found and users.mode != "delta":
        raise FeedBroken(
            f"{users.name}, line 1: there is no role column, and no roles.csv either: export roles.csv as OneRoster "
            "1.2 demands, or the columns role and orgSourcedIds of 1.1."
        )
    return files


def _plan_file(archive: Archive, manifest: Manifest, spec: FileSpec, *, is_v12: bool) -> _File | None:
    mode, line = manifest.modes.get(spec.name, (None, 0))
    member = archive.members.get(f"{spec.name.lower()}.csv")
    if member is None:
        if mode in ("bulk", "delta"):
            raise FeedBroken(
                f"manifest.csv, line {line}: it calls {spec.name}.csv {mode}, but the file is missing: send it, or "
                f"set file.{spec.name} to absent."
            )
        return None
    with closing(_open_body(archive, member.name)) as body:
        if mode == "absent":
            # Some exporters write a header into every file, used or not.
            if body.read(1 << 12).strip():
                raise FeedBroken(
                    f"manifest.csv, line {line}: it calls {member.name} absent, but the file is there with rows: set "
                    f"file.{spec.name} to bulk or delta, or take the file out."
                )
            return None
        names = parse_header(member.name, body.header)
    columns = map_columns(member.name, spec, names, is_v12=is_v12, is_delta=mode == "delta")
    return _File(spec, member.name, names, columns, mode)


def _load_enrollments(archive: Archive, file: _File, sink: Sink, *, is_raw: bool) -> CollectionReport:
    with sink.enrollments_sink() as second:
        return _load(archive, file, second, is_raw=is_raw)


def _load(archive: Archive, file: _File, sink: Sink, *, is_raw: bool) -> CollectionReport:
    started = time.monotonic()
    report = _read(archive, file, sink, is_raw=is_raw)
    seconds = max(time.monotonic() - started, 1e-6)
    log.info("%s: %s rows, %.0f rows/s", file.name, report.received, report.received / seconds)
    return report


def _read(archive: Archive, file: _File, sink: Sink, *, is_raw: bool) -> CollectionReport:
    report = CollectionReport(is_complete=file.mode == "bulk", reason=_why_incomplete(file))
    if is_raw:
        try:
            report.received = _load_raw(archive, file, sink)
            return report
        except CopyRefused:
            log.info("%s: refused as a whole, reading it line by line", file.name)
    reader = _tolerant(file, sink)
    with closing(_open_body(archive, file.name)) as body:
        rows = reader.rows(cast(BinaryIO, body))
        # Batches, so that a finding never meets a COPY that is still at work on the same connection.
        while batch := list(islice(rows, _BATCH)):
            report.received += sink.copy_rows(file.spec.collection, reader.kept, batch)
    if reader.is_cut_off:
        report.is_complete = False
        report.reason = f"The last line of {file.name} breaks off: the file may be cut off there; send it again."
    return report


def _load_raw(archive: Archive, file: _File, sink: Sink) -> int:
    """Hands the bytes after the header to the database; makes sure that it took each line as one record.

    Two stray quotes in the same column make COPY swallow every line between them without a word, and those people
    would look gone. Where it took fewer records than there are lines, the file is parsed strictly to compare: values
    may go on over lines, and lines of nothing but commas are not records.
    """
    with closing(_open_body(archive, file.name)) as body:
        taken = _copy(file, sink, body)
        lines = body.lines
    if taken != lines:
        with closing(_open_body(archive, file.name)) as body:
            records, blank = _count_strictly(body)
        if records != taken:
            raise _LinesJoined(file.name)
        if blank:
            message = f"{file.name} holds lines of nothing but commas, {blank} of them: take them out."
            sink.reject(file.spec.collection, "blank_line", message, known={})
    return taken


def _count_strictly(body: _Body) -> tuple[int | None, int]:
    """The records of a file by the CSV rules, and those that are empty.

    None where a quote seems to be where none may be.
    """
    text = io.TextIOWrapper(io.BufferedReader(body), encoding="utf-8", newline="")
    records = blank = 0
    try:
        for fields in csv.reader(text, strict=True):
            if swallows_lines(fields):
                return None, blank
            if any(fields):
                records += 1
            else:
                blank += 1
    except (csv.Error, UnicodeDecodeError):
        return None, blank
    return records, blank


def _copy(file: _File, sink: Sink, body: _Body) -> int:
    """Hands the bytes on; a fault of the file is reported as such, whatever the database driver made of it."""
    try:
        return sink.copy_csv(file.spec.collection, file.columns, cast(BinaryIO, body))
    except Exception:
        if body.fault is not None:
            raise body.fault from None
        raise


def _tolerant(file: _File, sink: Sink) -> TolerantReader:
    def reject(rule: str, message: str, line: int, source_id: str | None, known: Mapping[str, str] | None) -> None:
        sink.reject(file.spec.collection, rule, message, source_id=source_id, line=line, known=known)

    return TolerantReader(file.name, file.spec.collection, file.header, file.columns, reject)


def _why_incomplete(file: _File) -> str:
    if file.mode == "bulk":
        return ""
    if file.mode == "delta":
        return f"{file.name} is a delta file: what is not in it is not gone."
    return (
        f"No manifest.csv says that {file.name} is a bulk file, so what is not in it may still be there: send a "
        "manifest.csv."
    )


def _schools(archive: Archive, files: list[_File]) -> list[tuple[str, str]]:
    for file in files:
        if file.spec.name == "orgs":
            reader = TolerantReader(file.name, "orgs", file.header, file.columns, lambda *_: None)
            with closing(_open_body(archive, file.name)) as body:
                rows = [dict(zip(reader.kept, row, strict=True)) for row in reader.rows(cast(BinaryIO, body))]
            return [
                (str(row["source_id"]), str(row["name"] or ""))
                for row in rows
                if row["type"] == "school" and row["source_id"] and row.get("status") != "tobedeleted"
            ]
    return []


class _Guarded(io.RawIOBase):
    """A file's bytes; a damaged archive or a lost connection is raised in our words, and remembered."""

    def __init__(self, raw: BinaryIO, name: str) -> None:
        self._raw = raw
        self._name = name
        self.fault: RosterError | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self._raw.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError):
            self.fault = FeedBroken(f"{self._name} is damaged inside the zip: upload the zip again.")
        except RosterError as error:
            self.fault = error
        except OSError as error:
            self.fault = SourceUnavailable(f"{self._name} could not be read to its end ({type(error).__name__}).")
        raise self.fault

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Body(_Guarded):
    """What follows the header line, with the lines counted as they pass."""

    def __init__(self, raw: BinaryIO, name: str) -> None:
        super().__init__(raw, name)
        start = super().read(_LONGEST_HEADER)
        if not start:
            raw.close()
            raise FeedBroken(f"{name} is empty: export it with its header line, also where it has no rows.")
        start = start.removeprefix(_BOM)
        end = b"\n" if b"\n" in start else b"\r"
        self.header, _, self._rest = start.partition(end)
        if len(self.header) >= _LONGEST_HEADER - len(_BOM):
            raw.close()
            raise FeedBroken(f"{name}, line 1: it is too long to be a header: export the file as CSV.")
        self.header = self.header.rstrip(b"\r")
        self._newlines = self._returns = 0
        self._last = b""

    @property
    def lines(self) -> int:
        """The lines that passed, whether or not the last one has its end."""
        ends, end = (self._newlines, b"\n") if self._newlines else (self._returns, b"\r")
        return ends + (self._last not in (b"", end))

    def read(self, size: int = -1) -> bytes:
        if self._rest:
            size = len(self._rest) if size < 0 else size
            data, self._rest = self._rest[:size], self._rest[size:]
        else:
            data = super().read(size)
        if data:
            self._newlines += data.count(b"\n")
            self._returns += data.count(b"\r")
            self._last = data[-1:]
        return data

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _open_body(archive: Archive, name: str) -> _Body:
    return _Body(archive.open(name), name)
