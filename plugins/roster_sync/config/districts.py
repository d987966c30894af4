"""A district as the registry describes it, with the defaults of each setting; registry_file.py reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from roster_sync.core.limits import Limits


@dataclass(frozen=True)
class SourceSettings:
    """Where a district's roster comes from; secrets are in the Airflow connection `conn_id`, never here."""

    kind: str
    """The name of one of `source_kinds.KINDS`."""
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
class Threshold:
    """A district's own threshold for one expectation of its feed (include/expectations)."""

    entity: str
    column: str
    percent: float


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
    thresholds: tuple[Threshold, ...] = ()
    """The entry's `expectations`."""
