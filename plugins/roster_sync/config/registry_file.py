"""Reads the registry of districts from YAML and refuses it as a whole, telling every error with its file and line."""

from __future__ import annotations

import difflib
import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from roster_sync.config import cron, yaml_nodes
from roster_sync.config.districts import District, SourceSettings
from roster_sync.config.yaml_nodes import Key, Value
from roster_sync.core import source_kinds
from roster_sync.core.errors import ConfigError
from roster_sync.core.limits import Limits
from roster_sync.core.vocabulary import PORTAL_ROLES

_ENTRY_KEYS: Final = ("key", "name", "timezone", "schedule", "source", "roles", "limits", "enabled", "freshen", "owner")
_KEY_PATTERN: Final = re.compile(r"[a-z0-9_]{1,50}")
_CONNECTION_PATTERN: Final = re.compile(r"[\w.-]{1,200}", re.ASCII)
_NIGHT_STARTS: Final = 90
_NIGHT_MINUTES: Final = 181
"""Districts without a schedule of their own start between 01:30 and 04:30 of their own night."""


FRESHEN: Final = ("off", "hourly")
_SOURCE_KEYS: Final = ("kind", "conn_id", "path", "version", "auth", "district_id")


@dataclass(frozen=True, order=True)
class _Complaint:
    file: str
    line: int
    text: str


@dataclass
class _Reader:
    """One file's complaints, and the small readers that make them."""

    file: str
    complaints: list[_Complaint] = field(default_factory=list)

    def complain(self, line: int, text: str) -> None:
        self.complaints.append(_Complaint(self.file, line, text))

    def mapping(self, value: Value, what: str, allowed: tuple[str, ...]) -> dict[str, Value]:
        """The mapping's values by name; keys that nobody knows are refused here, with the nearest right one."""
        if not isinstance(value.data, dict):
            self.complain(value.line, f"{what} must be a mapping with the keys {', '.join(allowed)}")
            return {}
        for key in value.data:
            if key.name not in allowed:
                self.complain(key.line, f"{what} has no key {key.name!r}{_nearest(key.name, allowed)}")
        return {name: value.data[Key(name)] for name in allowed if Key(name) in value.data}

    def text(self, values: dict[str, Value], name: str, what: str, *, line: int, needed: bool = True) -> str:
        """A text, stripped; empty where it is missing, which is a complaint if it is needed."""
        value = values.get(name)
        if value is None:
            if needed:
                self.complain(line, f"{what} lacks {name!r}")
            return ""
        if isinstance(value.data, (dict, list, bool)) or not value.text.strip() or value.data is None:
            self.complain(value.line, f"{name!r} must be a text, not {value.kind}")
            return ""
        return value.text.strip()

    def choice(self, value: Value, name: str, allowed: tuple[str, ...]) -> str:
        if value.text in allowed:
            return value.text
        self.complain(
            value.line, f"{name!r} must be one of {', '.join(allowed)}, not {value.kind}{_nearest(value.text, allowed)}"
        )
        return ""

    def number(self, values: dict[str, Value], name: str, default: float, high: float = 100) -> float:
        value = values.get(name)
        if value is None:
            return default
        number = value.data
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number <= high:
            limit = f"a number from 0 to {high:g}" if math.isfinite(high) else "a whole number, 0 or more"
            self.complain(value.line, f"{name!r} must be {limit}, not {value.kind}")
            return default
        return number

    def flag(self, values: dict[str, Value], name: str, default: bool) -> bool:
        value = values.get(name)
        if value is None:
            return default
        if not isinstance(value.data, bool):
            self.complain(value.line, f"{name!r} must be true or false, not {value.kind}")
            return default
        return value.data


def read(path: Path) -> tuple[District, ...]:
    """Reads a file or a folder of *.yaml and *.yml.

    Raises:
        ConfigError: with every error of every file, or that there is nothing to read.
    """
    complaints: list[_Complaint] = []
    found: list[tuple[District, str, int]] = []
    for file in _files(path):
        reader = _Reader(file.name)
        found += [(district, file.name, line) for district, line in _districts(reader, file)]
        complaints += reader.complaints
    complaints += _repeated(found)
    if complaints:
        count = "1 error" if len(complaints) == 1 else f"{len(complaints)} errors"
        lines = "".join(f"\n  {it.file}, line {it.line}: {it.text}" for it in sorted(complaints))
        raise ConfigError(f"The registry {path} has {count}; it is refused as a whole until mended:{lines}")
    return tuple(sorted((district for district, _, _ in found), key=lambda district: district.key))


def default_schedule(key: str) -> str:
    """A nightly start that is the same on every machine and spreads the districts over the night."""
    minute = _NIGHT_STARTS + int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % _NIGHT_MINUTES
    return f"{minute % 60} {minute // 60} * * *"


def hourly_schedule(key: str) -> str:
    """Every hour, at a minute that is the district's own on every machine."""
    return f"{int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], 'big') % 60} * * * *"


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(file for pattern in ("*.yaml", "*.yml") for file in path.glob(pattern))
        if files:
            return files
        raise ConfigError(f"The registry {path} is a folder without a .yaml file: put the districts' files there.")
    if path.is_file():
        return [path]
    raise ConfigError(f"There is no registry at {path}: set ROSTER_DISTRICTS to a YAML file or a folder of them.")


def _districts(reader: _Reader, file: Path) -> Iterator[tuple[District, int]]:
    try:
        document = yaml_nodes.read(file)
    except yaml_nodes.UnreadableYaml as error:
        reader.complain(error.line, f"this is not readable as YAML: {error}")
        return
    for key in document.repeated:
        reader.complain(key.line, f"the key {key.name!r} stands here a second time")
    entries = reader.mapping(document.root, "the file", ("districts",)).get("districts")
    if entries is None:
        if isinstance(document.root.data, dict):
            reader.complain(document.root.line, "the file lacks 'districts'")
        return
    if not isinstance(entries.data, list):
        reader.complain(entries.line, "'districts' must be a list of entries, each beginning with '- key:'")
        return
    for entry in entries.data:
        if isinstance(entry.data, dict):
            yield _district(reader, entry, file.parent), entry.line
        else:
            reader.complain(entry.line, f"an entry must be a mapping with a 'key', a 'name' ..., not {entry.kind}")


def _district(reader: _Reader, entry: Value, folder: Path) -> District:
    values = reader.mapping(entry, "the entry", _ENTRY_KEYS)
    key = reader.text(values, "key", "the entry", line=entry.line)
    if key and not _KEY_PATTERN.fullmatch(key):
        reader.complain(values["key"].line, f"the key {key!r} must be 1 to 50 of a-z, 0-9 and _")
    what = f"district {key!r}" if key else "the entry"
    return District(
        key=key,
        name=reader.text(values, "name", what, line=entry.line),
        timezone=_timezone(reader, values, what, entry.line),
        schedule=_schedule(reader, values, key),
        source=_source(reader, values, what, entry.line, folder),
        roles=_roles(reader, values),
        limits=_limits(reader, values),
        enabled=reader.flag(values, "enabled", True),
        freshen=_freshen(reader, values),
        owner=reader.text(values, "owner", what, line=entry.line, needed=False) or District.owner,
    )


def _timezone(reader: _Reader, values: dict[str, Value], what: str, line: int) -> str:
    name = reader.text(values, "timezone", what, line=line)
    if name and not _is_timezone(name):
        reader.complain(values["timezone"].line, f"{name!r} is no time zone: write it as in America/Chicago")
    return name


@cache
def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _schedule(reader: _Reader, values: dict[str, Value], key: str) -> str:
    text = reader.text(values, "schedule", "", line=0, needed=False)
    if not text:
        return default_schedule(key)
    if problem := cron.problem(text):
        reader.complain(values["schedule"].line, f"the schedule {text!r} is no cron expression: {problem}")
    return text


def _source(reader: _Reader, values: dict[str, Value], what: str, line: int, folder: Path) -> SourceSettings:
    if "source" not in values:
        reader.complain(line, f"{what} lacks 'source'")
        return SourceSettings(kind="")
    line = values["source"].line
    settings = reader.mapping(values["source"], "the source", _SOURCE_KEYS)
    if "kind" not in settings:
        if settings:
            reader.complain(line, "the source lacks 'kind'")
        return SourceSettings(kind="")
    name = reader.choice(settings["kind"], "kind", source_kinds.names())
    if not name:
        return SourceSettings(kind="")
    _check_belongs(reader, name, settings)
    needs = source_kinds.find(name).needs
    found = {
        setting: reader.text(settings, setting, f"the {name} source", line=line, needed=setting in needs)
        for setting in _SOURCE_KEYS[1:]
    }
    _check_words(reader, name, settings)
    path, conn_id = _address(reader, settings, found["path"], found["conn_id"])
    return SourceSettings(
        kind=name,
        conn_id=conn_id or None,
        path=_joined(path, folder) if path else None,
        version=found["version"] or None,
        auth=found["auth"] or None,
        district_id=found["district_id"] or None,
    )


def _check_belongs(reader: _Reader, name: str, settings: dict[str, Value]) -> None:
    kind = source_kinds.find(name)
    for setting in settings:
        if setting not in ("kind", *kind.needs, *kind.may):
            reader.complain(settings[setting].line, f"{setting!r} does not belong to a {name} source")


def _check_words(reader: _Reader, name: str, settings: dict[str, Value]) -> None:
    kind = source_kinds.find(name)
    for setting, words in (("version", kind.versions), ("auth", kind.auths)):
        if setting in settings and words:
            reader.choice(settings[setting], setting, words)
    connection = settings.get("conn_id")
    if connection is not None and connection.text and not _CONNECTION_PATTERN.fullmatch(connection.text):
        reader.complain(
            connection.line, f"the connection id {connection.text!r} may hold letters, digits, _ . and - only"
        )
    version, auth = settings.get("version"), settings.get("auth")
    for excluded_version, excluded_auth, sentence in kind.excludes:
        if version and auth and (version.text, auth.text) == (excluded_version, excluded_auth):
            reader.complain(auth.line, sentence)


def _address(reader: _Reader, settings: dict[str, Value], path: str, conn_id: str) -> tuple[str, str]:
    """A path without the connection that stands before its @, as in Airflow's ObjectStoragePath, and the connection."""
    scheme, _, rest = path.partition("://")
    authority, slash, inside = rest.partition("/")
    named, _, host = authority.rpartition("@")
    if not named:
        return path, conn_id
    line = settings["path"].line
    if not _CONNECTION_PATTERN.fullmatch(named):
        reader.complain(line, "'path' may hold only a connection's id before its @: a login and its password belong "
                              "into an Airflow connection")  # fmt: skip
    elif conn_id and conn_id != named:
        reader.complain(line, f"'path' names the connection {named!r}, and conn_id another: leave one of them out")
    return f"{scheme}://{host}{slash}{inside}", named


def _joined(path: str, folder: Path) -> str:
    return path if "://" in path else str(folder / path)


def _roles(reader: _Reader, values: dict[str, Value]) -> tuple[str, ...]:
    value = values.get("roles")
    if value is None:
        return District.roles
    if not isinstance(value.data, list):
        reader.complain(value.line, f"'roles' must be a list of {', '.join(PORTAL_ROLES)}, not {value.kind}")
        return District.roles
    roles = [reader.choice(item, "roles", PORTAL_ROLES) for item in value.data]
    return tuple(dict.fromkeys(roles))


def _freshen(reader: _Reader, values: dict[str, Value]) -> str:
    """How often events are read; YAML takes the word off for false, which means the same."""
    value = values.get("freshen")
    if value is None:
        return District.freshen
    found = reader.choice(value, "freshen", FRESHEN)
    source = values["source"].data if "source" in values else None
    kind = source.get(Key("kind")) if isinstance(source, dict) else None
    if found in ("", District.freshen) or kind is None or kind.text not in source_kinds.names():
        return found or District.freshen
    if not source_kinds.find(kind.text).events:
        reader.complain(value.line, f"'freshen' reads events, and a source of kind {kind.text} has none")
    return found or District.freshen


def _limits(reader: _Reader, values: dict[str, Value]) -> Limits:
    if "limits" not in values:
        return Limits()
    usual = Limits()
    names = ("deleted_percent", "updated_percent", "enrollments_percent", "floor")
    found = reader.mapping(values["limits"], "limits", names)
    floor = reader.number(found, "floor", usual.floor, math.inf)
    if not float(floor).is_integer():
        reader.complain(found["floor"].line, f"'floor' must be a whole number, 0 or more, not {found['floor'].kind}")
        floor = usual.floor
    return Limits(
        deleted_percent=reader.number(found, "deleted_percent", usual.deleted_percent),
        updated_percent=reader.number(found, "updated_percent", usual.updated_percent),
        enrollments_percent=reader.number(found, "enrollments_percent", usual.enrollments_percent),
        floor=int(floor),
    )


def _repeated(found: list[tuple[District, str, int]]) -> Iterator[_Complaint]:
    first: dict[str, tuple[str, int]] = {}
    for district, file, line in found:
        if not district.key:
            continue
        if district.key in first:
            where = "{}, line {}".format(*first[district.key])
            yield _Complaint(file, line, f"the district {district.key!r} is already in {where}: keys are unique")
        else:
            first[district.key] = (file, line)


def _nearest(name: str, allowed: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, allowed, n=1, cutoff=0.6)
    return f": did you mean {close[0]!r}?" if close else f" (it may be: {', '.join(allowed)})"
