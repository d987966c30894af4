"""One step of a run in a process of its own, so that it can be killed, or meet another one."""

from __future__ import annotations

import sys

import psycopg2

from roster_sync.core.errors import SyncRefused
from roster_sync.engine import apply, runs
from tests.dsl.database import Database
from tests.dsl.roster import Roster
from tests.dsl.world import World
from tests.engine.schools import two_schools


def everything_changes() -> Roster:
    """A day on which a Reset adds, changes, moves and deletes rows of every kind."""
    roster = two_schools().without("s2").with_("north", name="Renamed").with_("t1", given_name="Renamed")
    roster.classes["c2"]["school_source_id"] = "north"
    roster = roster.without_rows("south")
    for person in ("t2", "t3", "s3"):
        roster.users[person]["org_source_ids"] = "north"
    roster.school("east").student("s9", "east").class_("c9", "east", "t1", "s9")
    return roster.without("s1")


def main(dsn: str, what: str, run_id: int) -> None:
    """Carries out the `apply` of a run that is open, an open Edit as a whole, or the `begin` of another Edit."""
    connection = psycopg2.connect(dsn)
    portal = World(Database("", ""), connection, connection, run_id=run_id).elsewhere("harbor")
    portal.run_id = run_id
    if what == "apply":
        apply.apply(connection, run_id, portal.district)
    elif what == "edit":
        portal.load_and_write(two_schools())
    else:
        request = runs.RunRequest("edit", "manual", "somebody", "roster_sync__harbor", f"child {run_id} {what}")
        try:
            runs.begin(connection, portal.district, request, is_alive=lambda dag, run: True)
        except SyncRefused as refused:
            sys.exit(f"{refused.status}: {refused}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
