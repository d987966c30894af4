"""A roster's files, whether in a zip or a folder, here or at any fsspec address; nothing is ever unpacked."""

from __future__ import annotations

import os
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import PurePosixPath
from threading import Lock
from typing import Any, BinaryIO, Final, cast

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from roster_sync.core.errors import FeedBroken
from roster_sync.sources.base import Access
from roster_sync.sources.files.spool import Spool
from roster_sync.sources.files.stores import as_user_error, display, open_store

MAX_RATIO: Final = 100
MAX_BYTES: Final = 50 * 1000**3
MARKERS: Final = ("manifest.csv", "users.csv")
"""A folder that holds one of these is the roster's folder."""


@dataclass(frozen=True)
class Member:
    """One file of the roster."""

    name: str
    """Its bare name, as people know it: users.csv."""
    location: str
    size: int


class Archive(ABC):
    """The files of one roster, by lower-case bare name; `open` reads one from its start."""

    def __init__(self, label: str, members: Mapping[str, Member], modified: str | None) -> None:
        self.label = label
        """The address for messages: without login, password or query."""
        self.members = members
        self.modified = modified
        """ISO time of the last change, where the store tells it."""

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.members

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """A stream of the file's bytes; the caller closes it."""


class _Folder(Archive):
    """A folder of this machine. Who writes into it could link to what only we may read, such as another's roster."""

    def __init__(
        self, fs: LocalFileSystem, path: str, label: str, members: Mapping[str, Member], modified: str | None
    ) -> None:
        super().__init__(label, members, modified)
        self._fs = fs
        self._root = os.path.realpath(fs._strip_protocol(path))

    def open(self, name: str) -> BinaryIO:
        member = self.members[name.lower()]
        if not PurePosixPath(os.path.realpath(member.location)).is_relative_to(self._root):
            raise FeedBroken(
                f"{member.name} in {self.label} is a link that leads out of the folder: put the file itself there."
            )
        return cast(BinaryIO, self._fs.open(member.location, "rb"))


class _Distant(Archive):
    """A folder at a store, of which each file that is opened is copied here once."""

    def __init__(self, fs: AbstractFileSystem, label: str, members: Mapping[str, Member], modified: str | None) -> None:
        super().__init__(label, members, modified)
        store = Lock()
        self._spools = {
            name: Spool(partial(fs.open, member.location, "rb"), f"{member.name} in {label}", member.size, store)
            for name, member in members.items()
        }

    def open(self, name: str) -> BinaryIO:
        return self._spools[name.lower()].reader()

    def close(self) -> None:
        for spool in self._spools.values():
            spool.close()


class _Zip(Archive):
    def __init__(self, file: zipfile.ZipFile, label: str, members: Mapping[str, Member], modified: str | None) -> None:
        super().__init__(label, members, modified)
        self._zip = file

    def open(self, name: str) -> BinaryIO:
        member = self.members[name.lower()]
        try:
            return cast(BinaryIO, self._zip.open(member.location))
        except (NotImplementedError, RuntimeError):
            raise FeedBroken(
                f"{member.name} in {self.label} is packed in a way that cannot be read here: "
                "pack the zip again with the usual method (deflate), without a password."
            ) from None
        except zipfile.BadZipFile:
            raise FeedBroken(f"{self.label} is damaged at {member.name}: upload the zip again.") from None


@contextmanager
def open_archive(
    path: str, *, filesystem: AbstractFileSystem | None = None, access: Access | None = None
) -> Iterator[Archive]:
    """Opens the zip or folder at `path`.

    Args:
        path: a local path or an fsspec address.
        filesystem: the store itself, where the caller holds it already (`path` is then a path inside it).
        access: what the connection holds; for stores other than S3 and SFTP its `extra` are fsspec's options.

    Raises:
        FeedBroken: nothing is there, or it is not a roster that may be read.
        ConfigError, AuthError, SourceUnavailable: the store refuses or does not answer.
    """
    label = display(path)
    given = nullcontext((filesystem, path)) if filesystem is not None else open_store(path, access)
    with given as (store, path_inside):
        with as_user_error(label):
            size = store.info(path_inside).get("size")
            is_folder = store.isdir(path_inside)
        with _folder(store, path_inside, label) if is_folder else _zip(store, path_inside, label, size) as archive:
            yield archive


@contextmanager
def _folder(fs: AbstractFileSystem, path: str, label: str) -> Iterator[Archive]:
    with as_user_error(label):
        found = _in_folder(fs, path, label)
        modified = _newest(fs, found)
    if isinstance(fs, LocalFileSystem):
        yield _Folder(fs, path, label, found, modified)
        return
    with closing(_Distant(fs, label, found, modified)) as archive:
        yield archive


@contextmanager
def _zip(fs: AbstractFileSystem, path: str, label: str, size: int | None) -> Iterator[Archive]:
    """A zip's directory is at its end, and its files are read concurrently: a distant one is copied here first."""
    if size is not None and size > MAX_BYTES:
        raise FeedBroken(f"{label} is larger than {MAX_BYTES / 1000**3:.0f} GB: send only the roster's CSV files.")
    with ExitStack() as stack:
        with as_user_error(label):
            modified = _modified(fs, path)
            if isinstance(fs, LocalFileSystem):
                raw = stack.enter_context(cast(BinaryIO, fs.open(path, "rb")))
            else:
                spool = stack.enter_context(closing(Spool(partial(fs.open, path, "rb"), label, size, Lock())))
                raw = stack.enter_context(spool.reader())
            try:
                opened = stack.enter_context(zipfile.ZipFile(raw))
            except zipfile.BadZipFile:
                raise FeedBroken(
                    f"{label} is neither a folder nor a whole zip file: upload it again as a zip of CSV files."
                ) from None
        yield _Zip(opened, label, _in_zip(opened, raw, label), modified)


def _in_zip(opened: zipfile.ZipFile, raw: BinaryIO, label: str) -> dict[str, Member]:
    packed = raw.seek(0, os.SEEK_END)
    entries = [entry for entry in opened.infolist() if not entry.is_dir()]
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or (parts.parts and parts.parts[0].endswith(":")):
            raise FeedBroken(
                f"{label} holds a file whose path leads out of the archive: pack the zip again from inside the folder "
                "of the CSV files."
            )
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_BYTES:
        raise FeedBroken(
            f"{label} would unpack to {unpacked / 1000**3:.0f} GB, over the limit of {MAX_BYTES / 1000**3:.0f} GB: "
            "send only the roster's CSV files."
        )
    if unpacked > MAX_RATIO * packed:
        raise FeedBroken(
            f"{label} would unpack to more than {MAX_RATIO} times its size, as only a zip bomb does: "
            "pack the roster's CSV files again."
        )
    found = _roster_folder([(entry.filename.replace("\\", "/"), entry.filename, entry.file_size) for entry in entries],
                           label)  # fmt: skip
    locked = {entry.filename for entry in entries if entry.flag_bits & 0x1}
    for member in found.values():
        if member.location in locked:
            raise FeedBroken(f"{member.name} in {label} is protected by a password: pack the zip again without one.")
    return found


def _in_folder(fs: AbstractFileSystem, path: str, label: str) -> dict[str, Member]:
    listed = cast("dict[str, dict[str, Any]]", fs.find(path, maxdepth=3, detail=True))
    root = str(fs._strip_protocol(path)).rstrip("/")
    files = [(name.removeprefix(root).lstrip("/"), name, _size(fs, name, info)) for name, info in listed.items()]
    return _roster_folder(files, label)


def _size(fs: AbstractFileSystem, name: str, info: Mapping[str, Any]) -> int:
    """A file's size; of a link, which SFTP lists with the length of its own text, the size of what it leads to."""
    if info.get("type") == "link":
        with suppress(OSError):  # a link to nowhere may be one that nobody reads
            info = fs.info(name)
    return int(info.get("size") or 0)


def _roster_folder(files: list[tuple[str, str, int]], label: str) -> dict[str, Member]:
    """The CSV files of the shallowest folder that holds a manifest or users."""
    folders: dict[PurePosixPath, dict[str, Member]] = {}
    for shown, location, size in files:
        path = PurePosixPath(shown)
        if "__MACOSX" in path.parts or path.name.startswith(".") or path.suffix.lower() != ".csv":
            continue
        folder = folders.setdefault(path.parent, {})
        if path.name.lower() in folder:
            raise FeedBroken(f"{label} holds {path.name} twice: send each file once.")
        folder[path.name.lower()] = Member(path.name, location, size)
    rosters = [folder for folder, members in folders.items() if any(marker in members for marker in MARKERS)]
    if not rosters:
        raise FeedBroken(
            f"{label} holds neither a manifest.csv nor a users.csv: send the OneRoster CSV files, all in one folder."
        )
    depth = min(len(folder.parts) for folder in rosters)
    nearest = [folder for folder in rosters if len(folder.parts) == depth]
    if len(nearest) > 1:
        raise FeedBroken(f"{label} holds {len(nearest)} rosters side by side: send one.")
    return folders[nearest[0]]


def _modified(fs: AbstractFileSystem, path: str) -> str | None:
    try:
        when = fs.modified(path)
    except (NotImplementedError, KeyError, OSError, TypeError, ValueError):
        return None  # not every store tells it
    if not isinstance(when, datetime):
        return None
    return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).isoformat(timespec="seconds")


def _newest(fs: AbstractFileSystem, members: Mapping[str, Member]) -> str | None:
    times = [time for member in members.values() if (time := _modified(fs, member.location))]
    return max(times, default=None)
