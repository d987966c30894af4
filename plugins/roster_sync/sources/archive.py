"""A roster's files, whether they lie in a zip or a folder, here or at any fsspec address; nothing is ever unpacked."""

from __future__ import annotations

import os
import tempfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import PurePosixPath
from shutil import copyfileobj
from typing import Any, BinaryIO, Final, cast
from urllib.parse import urlsplit, urlunsplit

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.registry import known_implementations

from roster_sync.errors import AuthError, FeedBroken, SourceUnavailable

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
    def __init__(self, fs: AbstractFileSystem, label: str, members: Mapping[str, Member], modified: str | None) -> None:
        super().__init__(label, members, modified)
        self._fs = fs

    def open(self, name: str) -> BinaryIO:
        return cast(BinaryIO, self._fs.open(self.members[name.lower()].location, "rb"))


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
    path: str, *, filesystem: AbstractFileSystem | None = None, storage_options: Mapping[str, Any] | None = None
) -> Iterator[Archive]:
    """Opens the zip or folder at `path`.

    Args:
        path: a local path or an fsspec address.
        filesystem: the store itself, where the caller holds it already (`path` is then a path inside it).
        storage_options: what fsspec needs to reach the store.

    Raises:
        FeedBroken: nothing is there, or it is no roster that may be read.
        AuthError, SourceUnavailable: the store refuses or does not answer.
    """
    label = display(path)
    with _told(label):
        if filesystem is None:
            filesystem, path = url_to_fs(path, **dict(storage_options or {}))
        is_folder = filesystem.isdir(path)
        if not is_folder and not filesystem.exists(path):
            raise FileNotFoundError(path)
        modified = None if is_folder else _modified(filesystem, path)
    if is_folder:
        with _told(label):
            found = _in_folder(filesystem, path, label)
        yield _Folder(filesystem, label, found, _newest(filesystem, found))
        return
    with _told(label):
        raw = _seekable(cast(BinaryIO, filesystem.open(path, "rb")))
    with raw:
        with _told(label):
            try:
                opened = zipfile.ZipFile(raw)
            except zipfile.BadZipFile:
                raise FeedBroken(
                    f"{label} is neither a folder nor a whole zip file: upload it again as a zip of CSV files."
                ) from None
        with opened:
            yield _Zip(opened, label, _in_zip(opened, raw, label), modified)


def display(path: str) -> str:
    """An address as it may be shown: a login, a password and a signed query are left out."""
    if "://" not in path:
        return path
    parts = urlsplit(path)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@contextmanager
def _told(label: str) -> Iterator[None]:
    """Tells a store's own errors in our words; their texts may hold a signed address."""
    try:
        yield
    except FileNotFoundError:
        raise FeedBroken(
            f"There is nothing at {label}: check the path in the registry, and whether the upload arrived."
        ) from None
    except PermissionError:
        raise AuthError(f"{label} may not be read: check the rights of the connection's account on it.") from None
    except (FeedBroken, AuthError, SourceUnavailable):
        raise
    except ImportError:
        cure = known_implementations.get(urlsplit(label).scheme, {}).get("err", "install fsspec's package for it")
        raise FeedBroken(f"{label} cannot be opened, a package is missing: {cure}, and start the sync again.") from None
    except ValueError as error:
        raise FeedBroken(
            f"{label} cannot be opened ({type(error).__name__}): check the address, and that fsspec's package for "
            "this kind of store is installed."
        ) from None
    except Exception as error:  # stores raise errors of their own kinds (botocore, paramiko ...), all meaning this
        raise SourceUnavailable(f"{label} could not be opened ({type(error).__name__}).") from None


def _seekable(raw: BinaryIO) -> BinaryIO:
    """A zip's directory stands at its end: what cannot seek (plain HTTP) goes into an unnamed temporary file first."""
    if raw.seekable():
        return raw
    with raw:
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - its caller closes it
        copyfileobj(raw, copy, 1 << 20)
    copy.seek(0)
    return cast(BinaryIO, copy)


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
    files = [(name.removeprefix(root).lstrip("/"), name, int(info.get("size") or 0)) for name, info in listed.items()]
    return _roster_folder(files, label)


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
