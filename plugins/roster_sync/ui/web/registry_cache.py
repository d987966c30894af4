"""The registry as the pages need it: read when its file changes, never once a request."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

from roster_sync.config.districts import District
from roster_sync.config.registry_file import load_registry, registry_path
from roster_sync.core import source_kinds
from roster_sync.core.errors import ConfigError

log = logging.getLogger(__name__)
_LOCK = threading.Lock()
_READ: dict[Path, tuple[float, dict[str, District]]] = {}


def all_districts() -> dict[str, District]:
    """Every entry of the registry by its key."""
    path = registry_path()
    stamp = _stamp(path)
    with _LOCK:
        known = _READ.get(path)
        if known is None or known[0] != stamp:
            known = _READ[path] = (stamp, _read(path, known[1] if known else None))
    return known[1]


def _read(path: Path, last: dict[str, District] | None) -> dict[str, District]:
    """The registry; while it is refused, what it was before, so that one wrong line hides no district."""
    try:
        return {district.key: district for district in load_registry(path)}
    except ConfigError as error:
        if last is None:
            raise
        log.error("The pages keep using the registry as it was. %s", error)
        return last


def source_name(district: District | None, issuer: str | None = None) -> str:
    """What people call the district's source; from the last run's issuer where the registry no longer has it."""
    if district is not None:
        return source_kinds.label_of(district.source.kind, default=district.source.kind)
    kind = (issuer or "").partition(":")[0]
    return source_kinds.label_of(kind, default="Not in the registry")


def sync_name(district: District | None) -> str:
    """The heading of the district's settings: Clever Sync, OneRoster Sync."""
    return f"{source_name(district).split()[0]} Sync" if district is not None else "Sync"


def _stamp(path: Path) -> float:
    """When the registry was last changed; -1 where it is missing, which reading it then reports."""
    try:
        if not path.is_dir():
            return path.stat().st_mtime
        files = [entry.stat().st_mtime for entry in os.scandir(path) if entry.name.endswith((".yaml", ".yml"))]
        return max([path.stat().st_mtime, *files])
    except OSError:
        return -1.0
