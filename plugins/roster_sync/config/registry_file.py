"""Reads the registry of districts from YAML and refuses it as a whole, with every error's file and line."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from roster_sync.config import yaml_nodes
from roster_sync.config.districts import District, SourceSettings, Threshold
from roster_sync.config.expectations import thresholds
from roster_sync.config.paths import REPOSITORY
from roster_sync.config.registry_schema import DistrictEntry, LimitsEntry, model_of, split_address
from roster_sync.config.yaml_nodes import Document, kind_of
from roster_sync.core import source_kinds
from roster_sync.core.errors import ConfigError
from roster_sync.core.limits import Limits

DISTRICTS_VARIABLE: Final = "ROSTER_DISTRICTS"
_SETTINGS: Final = tuple(setting.name for setting in fields(SourceSettings))
_NIGHT_STARTS: Final = 90
_NIGHT_MINUTES: Final = 181
"""Districts without a schedule of their own start between 01:30 and 04:30 of their own night."""


def registry_path() -> Path:
    """Where the registry is: ROSTER_DISTRICTS, or include/districts of this checkout."""
    named = os.environ.get(DISTRICTS_VARIABLE, "")
    if not named:
        return REPOSITORY / "include" / "districts"
    # Airflow's processes have working folders of their own: a relative path means the checkout's, if not this one's.
    path = Path(named)
    return path if path.is_absolute() or path.exists() else REPOSITORY / path


def find(key: str) -> District:
    """The district of this key. In a folder, a file named after the district is read alone: a worker needs no other.

    Raises:
        ConfigError: the registry has no such district, or is itself wrong.
    """
    path = registry_path()
    own = path / f"{key}.yaml"
    paths = [own, path] if re.fullmatch(r"[a-z0-9_]+", key) and own.is_file() else [path]
    for each in paths:
        for district in load_registry(each):
            if district.key == key:
                return district
    raise ConfigError(f"There is no district {key!r} in the registry: add it there, or take one of its keys.")


def load_registry(path: Path | None = None) -> tuple[District, ...]:
    """Reads the whole registry, a YAML file or a folder of *.yaml and *.yml, sorted by the districts' keys.

    Raises:
        ConfigError: anything in it is wrong; the message holds every error of every file with its line.
    """
    path = path or registry_path()
    problems: list[tuple[str, int, str]] = []
    districts: list[District] = []
    first: dict[str, str] = {}
    for file in _files(path):
        try:
            document = yaml_nodes.read(file)
        except yaml_nodes.UnreadableYaml as error:
            problems.append((file.name, error.line, f"this is not readable as YAML: {error}"))
            continue
        problems += _repeated(document, file.name, first)
        try:
            found = model_of(source_kinds.KINDS).model_validate(document.root)
        except ValidationError as error:
            problems += [(file.name, document.line_of(each["loc"]), _sentence(each)) for each in error.errors()]
        else:
            districts += [_district(entry, file.parent) for entry in found.districts]
    if problems:
        count = "1 error" if len(problems) == 1 else f"{len(problems)} errors"
        lines = "".join(f"\n  {file}, line {line}: {text}" for file, line, text in sorted(problems))
        raise ConfigError(f"The registry {path} has {count}; it is refused as a whole until they are corrected:{lines}")
    return tuple(sorted(districts, key=lambda district: district.key))


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


def _district(entry: DistrictEntry, folder: Path) -> District:
    settings: dict[str, Any] = {name: value or None for name, value in entry.source}
    source = SourceSettings(**settings)
    if source.path:
        path, named = split_address(source.path)
        joined = path if "://" in path else str(folder / path)
        source = replace(source, path=joined, conn_id=source.conn_id or named or None)
    return District(
        key=entry.key,
        name=entry.name,
        timezone=entry.timezone,
        source=source,
        schedule=entry.schedule or default_schedule(entry.key),
        roles=tuple(dict.fromkeys(entry.roles)),
        limits=Limits(**dict(entry.limits)),
        enabled=entry.enabled,
        freshen=entry.freshen,
        owner=entry.owner,
        thresholds=tuple(
            Threshold(entity, column, percent)
            for entity, columns in entry.expectations or ()
            for column, percent in columns or ()
            if percent is not None
        ),
    )


def _repeated(document: Document, file: str, first: dict[str, str]) -> Iterator[tuple[str, int, str]]:
    """Keys and districts that come twice; `first` is where each district came first."""
    for name, line in document.repeated:
        yield file, line, f"the key {name!r} is in this mapping a second time"
    entries = document.root.get("districts") if isinstance(document.root, dict) else None
    for position, entry in enumerate(entries if isinstance(entries, list) else ()):
        key = entry.get("key") if isinstance(entry, dict) else None
        line = document.line_of(["districts", position])
        where = f"{file}, line {line}"
        if isinstance(key, str) and first.setdefault(key.strip(), where) != where:
            yield file, line, f"the district {str(key)!r} is already in {first[key.strip()]}: keys are unique"


def _sentence(error: ErrorDetails) -> str:
    """One of pydantic's errors in the registry's words."""
    path, kind, context, value = error["loc"], error["type"], error.get("ctx", {}), error["input"]
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    if kind == "value_error":
        return str(context["error"])
    if kind == "must_be":
        hint = _nearest(str(value), context["words"]) if context["words"] else ""
        return f"{name!r} {error['msg']}, not {kind_of(value)}{hint}"
    if kind == "union_tag_invalid":
        names, value = source_kinds.names(), value["kind"]
        return f"'kind' must be one of {', '.join(names)}, not {kind_of(value)}{_nearest(str(value), names)}"
    if kind == "union_tag_not_found" and isinstance(value, dict):
        return "the source lacks 'kind'"
    if kind == "list_type":
        return "'districts' must be a list of entries, each beginning with '- key:'"
    if kind == "missing":
        what, _ = _mapping_at(path[:-1])
        named = f"district {str(value['key'])!r}" if what == "the entry" and value.get("key") else what
        return f"{named} lacks {name!r}"
    if kind == "extra_forbidden":
        what, keys = _mapping_at(path[:-1])
        if "source" in path and name in _SETTINGS:
            return f"{name!r} does not belong to {what}"
        return f"{what} has no key {name!r}{_nearest(name, keys)}"
    what, keys = _mapping_at(path)
    return f"{what} must be a mapping with the keys {', '.join(keys)}, not {kind_of(value)}"


def _mapping_at(path: tuple[str | int, ...]) -> tuple[str, tuple[str, ...]]:
    """What people call the mapping at a path, and the keys that it may have."""
    if "source" in path:
        kind = next((kind for kind in source_kinds.KINDS if kind.name == path[-1]), None)
        return (f"the {kind.name} source", kind.settings) if kind else ("the source", _SETTINGS)
    if "limits" in path:
        return "limits", tuple(LimitsEntry.model_fields)
    if "expectations" in path:
        own = thresholds()
        return (
            ("expectations", tuple(own))
            if path[-1] == "expectations"
            else (f"the expectations of {path[-1]}", own[str(path[-1])])
        )
    return ("the entry", tuple(DistrictEntry.model_fields)) if "districts" in path else ("the file", ("districts",))


def _nearest(name: str, allowed: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, allowed, n=1, cutoff=0.6)
    return f": did you mean {close[0]!r}?" if close else f" (it may be: {', '.join(allowed)})"
