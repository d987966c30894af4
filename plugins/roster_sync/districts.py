"""The registry of districts: what a registry entry is, and how it is read from YAML and refused where it is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """How much one run may change before a person is asked (product.md, Limits); percentages, 100 lifts a limit."""

    deleted_percent: float = 10
    updated_percent: float = 75
    enrollments_percent: float = 50
    floor: int = 5


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
    owner: str = "data-team"
