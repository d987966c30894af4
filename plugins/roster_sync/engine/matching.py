"""Match reviews, answered by a person: two rows are the same person and are merged, or they are not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from roster_sync.core.errors import SyncRefused
from roster_sync.database import db
from roster_sync.engine.locks import lock_district

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

log = logging.getLogger(__name__)


def same_person(connection: Connection, worklist_id: int, who: str) -> None:
    """Puts the two rows of a match review together: the old row keeps its id and role and takes the new one over.

    Written in one transaction under the district's lock and recorded as a run, so that undo can take it back.

    Raises:
        errors.SyncRefused: the review was answered already, or one of the two rows is gone.
    """
    with db.acting_as(connection, "roster_undo") as cursor:
        lock_district(cursor, _district_of(cursor, worklist_id))  # before the item: a run at work locks in this order
        item = _open_item(cursor, worklist_id)
        params: dict[str, Any] = {**item, "item": worklist_id, "who": who, "resolution": "same"}
        params["run_id"] = db.exactly_one(cursor, "matching/run", params)["id"]
        db.run(cursor, "matching/close", params)  # by this person, before the move closes what belongs to the new row
        for name in ("matching/begin", "matching/move", "matching/take_over"):
            db.run(cursor, name, params)
    log.info("run %s: two rows became one", params["run_id"])


def not_the_same(connection: Connection, worklist_id: int, who: str) -> None:
    """Answers a match review as two different people: both rows stay as they are, and it is never asked again.

    Raises:
        errors.SyncRefused: the review was answered already.
    """
    with db.acting_as(connection, "roster_desk") as cursor:
        params = {"item": worklist_id, "who": who, "resolution": "not_same", "run_id": None}
        if db.run(cursor, "matching/close", params) == 0:
            raise _answered()


def _district_of(cursor: Cursor, worklist_id: int) -> int:
    found = db.one(cursor, "matching/district", {"item": worklist_id})
    if found is None:
        raise _answered()
    return int(found["district_id"])


def _open_item(cursor: Cursor, worklist_id: int) -> dict[str, Any]:
    item = db.one(cursor, "matching/item", {"item": worklist_id})
    if item is None:
        raise _answered()
    if not item["has_new"] or not item["has_old"]:
        raise SyncRefused("One of the two people is no longer in the portal, so there is nothing to merge.")
    return item


def _answered() -> SyncRefused:
    return SyncRefused("This match review was answered already. Reload the page.")
