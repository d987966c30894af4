"""Every kind of source, described once: the settings of its registry entry, its pool, and the code that reads it.

A new kind is a package below `sources/` and an entry here; see docs/extending.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from roster_sync.core.errors import ConfigError


@dataclass(frozen=True)
class SourceKind:
    """One kind of source. Loaded with every DAG file, so what reads it is named here and imported when it is opened."""

    name: str
    """In the registry, in the ids' issuer, as a tag of the DAG."""
    label: str
    """What people call it."""
    pool: str
    """The Airflow pool (include/pools.json) in which it is read."""
    opens: str
    """'module:callable' that takes (settings, access, district_key, **tuning) and returns a `base.Source`."""
    needs: tuple[str, ...]
    """Settings, fields of `SourceSettings`, without which an entry is refused."""
    may: tuple[str, ...] = ()
    """Settings that an entry may also give; all others are refused."""
    versions: tuple[str, ...] = ()
    """What `version` may be, where the kind takes one."""
    auths: tuple[str, ...] = ()
    """What `auth` may be, where the kind takes one."""
    excludes: tuple[tuple[str, str, str], ...] = ()
    """(version, auth, sentence): combinations that are refused, and what to do instead."""
    is_paged: bool = True
    """Read page by page while it may change: an id that comes twice is then a sign that another was skipped."""
    events: str = ""
    """'module:callable' like `opens` that returns a `base.EventSource`; empty where the kind has no events."""

    @property
    def settings(self) -> tuple[str, ...]:
        """All keys of an entry's `source`."""
        return ("kind", *self.needs, *self.may)


KINDS: tuple[SourceKind, ...] = (
    SourceKind(
        name="clever",
        label="Clever",
        pool="source_clever",
        opens="roster_sync.sources.clever.source:Clever",
        needs=("conn_id",),
        may=("version", "district_id"),
        versions=("v3.0", "v3.1"),
        events="roster_sync.sources.clever.events:CleverEvents",
    ),
    SourceKind(
        name="oneroster",
        label="OneRoster",
        pool="source_oneroster",
        opens="roster_sync.sources.oneroster.source:OneRosterRest",
        needs=("conn_id", "version", "auth"),
        versions=("1.1", "1.2"),
        auths=("oauth1", "oauth2", "bearer"),
        excludes=(
            ("1.2", "oauth1", "OneRoster 1.2 has no oauth1: take oauth2, or bearer for a proxy with a fixed token"),
        ),
    ),
    SourceKind(
        name="oneroster_csv",
        label="OneRoster files",
        pool="source_oneroster",
        opens="roster_sync.sources.oneroster_csv.source:OneRosterCsv",
        needs=("path",),
        may=("conn_id",),
        is_paged=False,
    ),
)
"""In the order in which messages name them."""


def names() -> tuple[str, ...]:
    """The kinds' names, as the registry writes them."""
    return tuple(kind.name for kind in KINDS)


def find(name: str) -> SourceKind:
    """The kind of this name.

    Raises:
        ConfigError: there is no such kind.
    """
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise ConfigError(f"There is no source of kind {name!r}; known kinds are {', '.join(names())}.")


def label_of(name: str, default: str) -> str:
    """What people call the kind of this name; `default` where a kind has gone or was never known."""
    return next((kind.label for kind in KINDS if kind.name == name), default)
