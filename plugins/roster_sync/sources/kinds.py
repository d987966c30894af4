"""Opens the source of a district, of whatever kind it is; the kinds are in core/source_kinds.py."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import Any

from roster_sync.config.districts import SourceSettings
from roster_sync.core import source_kinds
from roster_sync.core.errors import ConfigError
from roster_sync.core.source_kinds import SourceKind
from roster_sync.sources.base import Access, EventSource, Source


def open_source(settings: SourceSettings, access: Access | None, district_key: str, **tuning: Any) -> Source:
    """Makes the source of one district; nothing is read or asked yet.

    Args:
        settings: the registry entry's `source`.
        access: what the connection holds; None for files that need none.
        district_key: names the issuer of ids that are unique only inside a file's district.
        tuning: keyword arguments of the source's own class, for tests and unusual servers.

    Raises:
        ConfigError: the kind is unknown, or needs a connection and has none.
    """
    kind = source_kinds.find(settings.kind)
    _check_access(kind, access, district_key)
    source: Source = _imported(kind.opens)(settings, access, district_key, **tuning)
    return source


def open_events(
    settings: SourceSettings, access: Access | None, district_key: str, *, since_id: str, since: datetime
) -> EventSource:
    """Makes the source of what happened at a district since an event; nothing is asked yet.

    Args:
        settings: the registry entry's `source`.
        access: what the connection holds.
        district_key: as of `open_source`.
        since_id: the last event that was applied.
        since: when that event was read.

    Raises:
        ConfigError: the kind has no events, or needs a connection and has none.
    """
    kind = source_kinds.find(settings.kind)
    if not kind.events:
        raise ConfigError(f"District {district_key} has no events: a source of kind {kind.name} does not offer them.")
    _check_access(kind, access, district_key)
    source: EventSource = _imported(kind.events)(settings, access, district_key, since_id=since_id, since=since)
    return source


def _check_access(kind: SourceKind, access: Access | None, district_key: str) -> None:
    if access is None and "conn_id" in kind.needs:
        raise ConfigError(f"The source of district {district_key} is of kind {kind.name} and needs a `conn_id`.")


def _imported(path: str) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found
