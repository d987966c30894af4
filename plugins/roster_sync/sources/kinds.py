"""Which class reads which kind of source: the one place that knows them all."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from roster_sync.config.districts import SourceSettings
from roster_sync.core.errors import ConfigError
from roster_sync.sources.base import Access, Source

if TYPE_CHECKING:
    from roster_sync.sources.clever.events import CleverEvents

KINDS = ("clever", "oneroster", "oneroster_csv")


def open_events(settings: SourceSettings, access: Access, since_id: str, since: datetime) -> CleverEvents:
    """Makes the source of what happened at a Clever district since an event; nothing is asked yet."""
    from roster_sync.sources.clever.events import CleverEvents

    return CleverEvents(settings, access, since_id=since_id, since=since)


def open_source(settings: SourceSettings, access: Access | None, district_key: str, **tuning: Any) -> Source:
    """Makes the source of one district; nothing is read or asked yet.

    Args:
        settings: the registry entry's `source`.
        access: what the connection holds; None for files that need none.
        district_key: names the issuer of ids that are unique only inside a file's district.
        tuning: keyword arguments of the source's own class, for tests and unusual servers.
    """
    # Imported here: a DAG file that only names the kinds must not pay for requests and fsspec.
    if settings.kind == "oneroster_csv":
        from roster_sync.sources.oneroster_csv.source import OneRosterCsv

        return OneRosterCsv(settings, access, district_key, **tuning)
    if access is None:
        raise ConfigError(f"The source of district {district_key} is of kind {settings.kind} and needs a `conn_id`.")
    if settings.kind == "oneroster":
        from roster_sync.sources.oneroster.source import OneRosterRest

        return OneRosterRest(settings, access, **tuning)
    if settings.kind == "clever":
        from roster_sync.sources.clever.source import Clever

        return Clever(settings, access, **tuning)
    raise ConfigError(
        f"The source of district {district_key} is of kind {settings.kind!r}; known kinds are {', '.join(KINDS)}."
    )
