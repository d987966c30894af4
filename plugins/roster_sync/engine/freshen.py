"""Freshening: between two nights, a Clever district's events are read from where the last whole read left off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from roster_sync.core.errors import SyncRefused
from roster_sync.database import db

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from roster_sync.config.districts import District

PARAMETER = "events"
"""The parameter that marks an Edit as one of events: it adds and updates, and gives way to every other run."""


@dataclass(frozen=True)
class EventPosition:
    """Where the events of a district are read on from."""

    event_id: str
    taken_at: datetime


def position(connection: Connection, district: District) -> EventPosition:
    """The district's position in its events, as the last run that wrote left it (include/sql/apply/event_cursor.sql).

    Raises:
        errors.SyncRefused: no whole read has marked one yet.
    """
    with db.acting_as(connection, "roster_read") as cursor:
        found = db.one(cursor, "runs/event_cursor", {"key": district.key})
    if found is None:
        raise SyncRefused(
            "No event is known to start from: the nightly sync reads everything first, and the application must have "
            "events enabled at Clever.",
            status="skipped",
        )
    return EventPosition(found["event_id"], found["taken_at"])
