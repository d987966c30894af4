"""A run in a process of its own that stops where a test wants it, so that a test can kill it there.

`python -m tests.engine.crash_child DSN AIRFLOW_RUN_ID ROSTER.json STOP_AT`: STOP_AT is the statement file before which
it stands still, or `after:<step>`. It says `here` on standard output, and then waits to be killed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import psycopg2

from roster_sync.config.districts import District, SourceSettings
from roster_sync.database import db
from roster_sync.engine import apply, runs
from roster_sync.engine.planning import plan
from roster_sync.feed import staging
from tests.dsl.roster import MemorySource, Roster


def _stand_still() -> NoReturn:
    sys.stdout.write("here\n")
    sys.stdout.flush()
    time.sleep(120)
    raise SystemExit("nobody killed this process")


def main(dsn: str, airflow_run_id: str, roster: str, stop_at: str) -> None:
    original = db.run

    def watched(cursor: Any, name: str, params: Any = None) -> int:
        if name == stop_at:
            _stand_still()
        return original(cursor, name, params)

    db.run = watched
    district = District(
        key="brook", name="Brook District", timezone="America/Chicago", schedule="15 2 * * *",
        source=SourceSettings(kind="oneroster_csv", path="brook.zip"),
    )  # fmt: skip
    connection = psycopg2.connect(dsn)
    request = runs.RunRequest("edit", "manual", "someone", "roster_sync__brook", airflow_run_id)
    run_id = runs.begin(connection, district, request, is_alive=lambda *_: False)
    source = MemorySource(Roster(json.loads(Path(roster).read_text())))
    steps: dict[str, Callable[[], object]] = {
        "extract": lambda: staging.load(connection, run_id, district, source),
        "plan": lambda: plan.make(connection, run_id, district),
        "apply": lambda: apply.apply(connection, run_id, district),
    }
    for name, step in steps.items():
        with runs.step(connection, run_id, name):
            step()
        if stop_at == f"after:{name}":
            _stand_still()
    raise SystemExit(f"the run ended without ever being at {stop_at}")


if __name__ == "__main__":
    main(*sys.argv[1:5])
