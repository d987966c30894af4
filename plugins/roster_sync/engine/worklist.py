"""The worklist: what people still have to do in the portal after a run; opened and closed by set-based SQL.

Every statement can be repeated: a second refresh of the same run opens and closes nothing more.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from roster_sync.database import db
from roster_sync.engine import runs

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

log = logging.getLogger(__name__)

_OPENING: Final = ("reopen", "open_teachers", "open_schools", "open_students")


def refresh(connection: Connection, run_id: int) -> dict[str, int]:
    """Opens and closes the items of the run's district; role drift and match reviews are opened by the apply step."""
    with db.acting_as(connection, "roster_edit") as cursor:
        district_id = runs.record(cursor, run_id).district_id
        run_ids = [*runs.unreported(cursor, run_id, district_id), run_id]
        params = {"run_id": run_id, "district_id": district_id, "run_ids": run_ids}
        db.run(cursor, "worklist/judge", params)
        counts = {
            "worklist_closed": db.run(cursor, "worklist/close", params),
            "worklist_opened": sum(db.run(cursor, f"worklist/{name}", params) for name in _OPENING),
        }
    log.info("worklist: %s opened, %s closed", counts["worklist_opened"], counts["worklist_closed"])
    return counts


def refresh_all(connection: Connection) -> int:
    """Closes, in every district, the items whose work people have done since; returns how many."""
    with db.acting_as(connection, "roster_edit") as cursor:
        db.run(cursor, "worklist/judge", {"district_id": None})
        closed = db.run(cursor, "worklist/close")
    log.info("worklist: %s closed in all districts", closed)
    return closed
