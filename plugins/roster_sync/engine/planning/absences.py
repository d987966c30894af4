"""Absences: what a Reset would delete because the feed lacks it is first asked for at the source, one by one.

The source is asked between two transactions of the plan, never within one: up to 200 requests can take minutes, and no
lock is held so long. Meanwhile people go on working in the portal, so the plan is made anew after the answers, and only
what it then says is decided on.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from roster_sync.core.errors import SourceError
from roster_sync.database import db

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.engine.planning.context import PlanContext
    from roster_sync.sources.base import Askable

log = logging.getLogger(__name__)

ASK_AT_MOST: Final = 200
"""Missing schools and people that are asked for before a Reset deletes them (docs/rules.md, R7.9)."""
GIVE_UP_AFTER: Final = 3
"""Failures of the source in a row: 200 of them would outlast the step, and the next try would begin from the start."""
COLLECTIONS: Final = {"schools": "orgs", "users": "users"}


@dataclass(frozen=True)
class MissingRecord:
    """A row of the portal that a Reset would delete because no record of the feed means it (plan/missing.sql)."""

    entity: str
    """schools | users"""
    row_id: int
    """In the portal."""
    source_id: str
    """At the source."""


class Absences:
    """What one planning has asked its source for; nothing of a source that cannot be asked, such as a file."""

    def __init__(self, source: Askable | None) -> None:
        """Asks nothing yet."""
        self._source = source
        self._asked: dict[str, set[str]] = {entity: set() for entity in COLLECTIONS}
        self._failures = 0
        """In a row."""

    def still_to_ask(self, cursor: Cursor, context: PlanContext) -> list[MissingRecord]:
        """The rows of the plan at work that rest on an absence nobody has asked for yet."""
        left = ASK_AT_MOST - sum(map(len, self._asked.values()))
        if self._source is None or not context.is_reset or left <= 0:
            return []
        asked = {f"asked_{entity}": list(source_ids) for entity, source_ids in self._asked.items()}
        return [MissingRecord(**row) for row in db.rows(cursor, "plan/missing", context.binds(most=left, **asked))]

    def ask(self, connection: Connection, run_id: int, missing: Sequence[MissingRecord]) -> None:
        """Asks for each; what is still there, or could not be asked for, is kept as a finding that every plan heeds."""
        if self._source is None:
            return
        alive: list[MissingRecord] = []
        unasked = 0
        for record in missing:
            self._asked[record.entity].add(record.source_id)
            unasked += self._failures >= GIVE_UP_AFTER
            if not self._is_gone(self._source, record):
                alive.append(record)
        if alive:
            with db.acting_as(connection, "roster_edit") as cursor:
                for record in alive:
                    db.run(cursor, "plan/still_live", {**vars(record), "run_id": run_id})
        log.info("asked the source for %s missing records, %s are kept", len(missing) - unasked, len(alive))
        if unasked:
            log.warning(
                "the source failed %s times in a row: %s missing records were not asked for, and are kept",
                GIVE_UP_AFTER,
                unasked,
            )

    def _is_gone(self, source: Askable, record: MissingRecord) -> bool:
        """Whether the source says that it is gone; a source that keeps failing is asked no more."""
        if self._failures >= GIVE_UP_AFTER:
            return False
        try:
            is_live = source.is_live(COLLECTIONS[record.entity], record.source_id)
        except SourceError:
            self._failures += 1
            return False
        self._failures = 0
        return is_live is False
