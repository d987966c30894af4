"""The registry of districts: what a registry entry is, and how it is read from YAML and refused where it is wrong."""

from __future__ import annotations

import argparse
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from roster_sync.config.paths import REPOSITORY
from roster_sync.core.errors import ConfigError
from roster_sync.core.limits import Limits

DISTRICTS_VARIABLE: Final = "ROSTER_DISTRICTS"


@dataclass(frozen=True)
class SourceSettings:
    """Where a district's roster comes from; secrets are in the Airflow connection `conn_id`, never here."""

    kind: str
    """clever | oneroster | oneroster_csv"""
    conn_id: str | None = None
    path: str | None = None
    """oneroster_csv: a zip or folder, any fsspec address; a relative one is already joined to the registry's folder."""
    version: str | None = None
    """oneroster: '1.1' or '1.2'; clever: 'v3.1' or 'v3.0'."""
    auth: str | None = None
    """oneroster: oauth1 | oauth2 | bearer."""
    district_id: str | None = None
    """clever: which of the application's districts, where one connection serves them all."""


@dataclass(frozen=True)
class District:
    """One entry of the registry."""

    key: str
    name: str
    timezone: str
    source: SourceSettings
    schedule: str
    """Cron, in the district's time zone; where the entry gives none, a start minute spread by a stable hash."""
    roles: tuple[str, ...] = ("teacher", "student")
    """Which portal roles the sync may create."""
    limits: Limits = field(default_factory=Limits)
    enabled: bool = True
    freshen: str = "off"
    """off | hourly: whether a Clever district's events are read between two nights (its application has them on)."""
    owner: str = "data-team"


def registry_path() -> Path:
    """Where the registry is: ROSTER_DISTRICTS, or include/districts of this checkout."""
    named = os.environ.get(DISTRICTS_VARIABLE, "")
    if not named:
        return REPOSITORY / "include" / "districts"
    # Airflow's processes have working folders of their own: a relative path means the checkout's, if not this one's.
    path = Path(named)
    return path if path.is_absolute() or path.exists() else REPOSITORY / path


def load_registry(path: Path | None = None) -> tuple[District, ...]:
    """Reads the whole registry, a YAML file or a folder of them, sorted by the districts' keys.

    Raises:
        ConfigError: anything in it is wrong; the message holds every error with its file and line.
    """
    from roster_sync.config import registry_file  # here, since it imports the classes above

    return registry_file.read(path or registry_path())


def find(key: str) -> District:
    """The district of this key. In a folder, a file named after the district is read alone: a worker needs no other.

    Raises:
        ConfigError: the registry has none, or is itself wrong.
    """
    path = registry_path()
    own = path / f"{key}.yaml"
    places = [own, path] if re.fullmatch(r"[a-z0-9_]+", key) and own.is_file() else [path]
    for place in places:
        for district in load_registry(place):
            if district.key == key:
                return district
    raise ConfigError(f"There is no district {key!r} in the registry: add it there, or take one of its keys.")


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m roster_sync.districts [PATH]`: checks a registry and prints what it holds."""
    parser = argparse.ArgumentParser(
        prog="python -m roster_sync.districts",
        description="Checks a registry of districts: all errors at once, with file and line.",
    )
    parser.add_argument("path", nargs="?", type=Path, help=f"a YAML file or a folder of them ({DISTRICTS_VARIABLE})")
    try:
        districts = load_registry(parser.parse_args(arguments).path)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for district in districts:
        state = "" if district.enabled else "  (not enabled)"
        sys.stdout.write(f"{district.key}  {district.source.kind}  {district.schedule}  {district.timezone}{state}\n")
    return 0
