r"""The nightly Edit on OneRoster CSV: `bin/bench edit [--students 100000] [--only-engine]`.

100,000 students give 480,000 enrollments of students and 20,000 of teachers. Three runs, one after the other, in an
empty database of its own: the first load, nothing changed (the same rows in another order, so that no shortcut by a
file's hash counts), 1 % changed (the next day). Each is all that the engine does, as the tasks of the DAG call it:
extract, stage and row checks (`load`), `plan`, `apply`. Its ratio is to the floor: psql's `\copy` of the same six files
of day 1 into logged tables of text columns, on the same server in the same run; the median of three,
one before each run. The limits: first load 7, nothing changed 4, and 250 MB of peak memory, whatever the
district's size.

What takes the same time for any district is on lines of its own, outside of the ratios: Great Expectations
and its page (in a process of its own, the import included), and a run of all tasks on an unchanged feed through Airflow
(`bin/airflow dags test`).

The rosters are made once and kept in ROSTER_HOME/bench/rosters; the database is dropped at the end.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ops.airflow.environment import portal_connection
from ops.bench.databases import Floor, analyze, checkpoint, portal
from ops.bench.fixtures import rosters
from ops.bench.report import Line, Report
from ops.console import progress
from ops.home import REPOSITORY, Home
from ops.postgres.cluster import APP, Server
from roster_sync.config.districts import District, SourceSettings
from roster_sync.core.limits import Limits
from roster_sync.engine import apply, runs
from roster_sync.engine.planning import plan
from roster_sync.feed import staging
from roster_sync.sources.kinds import open_source

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

FIRST_LOAD_LIMIT, UNCHANGED_LIMIT = 7.0, 4.0
MEMORY_LIMIT_MB = 250.0
KEY = "bench"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `bin/bench edit`."""
    parser.add_argument("--students", type=int, default=100_000, help="the district's size (default: %(default)s)")
    parser.add_argument("--only-engine", action="store_true", help="without Great Expectations and Airflow")


def main(home: Home, server: Server, options: argparse.Namespace) -> int:
    """Measures and reports; 1 if a limit is passed."""
    files = rosters(home, options.students)
    report = Report("edit", {"students": options.students, **files.rows()}, memory_limit_mb=MEMORY_LIMIT_MB)
    rows = sum(files.rows().values())
    with portal(server) as database:
        floor = Floor(server, database, files)
        for name, path, limit in (
            ("first load", files.day1, FIRST_LOAD_LIMIT),
            ("nothing changed", files.shuffled, UNCHANGED_LIMIT),
            ("1 % changed", files.changed, None),
        ):
            with progress(f"measuring: {name}"):
                floor.measure()
                checkpoint(server, database)
                report.lines += _measured_run(server, database, path, name, rows, limit)
                analyze(server, database)
        if not options.only_engine:
            report.lines += _expectations(server, database, files.changed)
            report.lines.append(_airflow(server, database, files.changed))
    for line in report.lines:
        if line.limit is not None or line.name == "1 % changed":
            line.floor_seconds = floor.median
    report.lines.insert(0, Line("floor: \\copy of the six files", floor.median, rows, note=_each(floor.seconds)))
    return report.finish(home)


def district_of(path: Path) -> District:
    """The district of the benchmark, with its limits lifted, so that no run is held."""
    source = SourceSettings(kind="oneroster_csv", path=str(path))
    return District(KEY, "Bench", "UTC", source, "15 2 * * *", limits=Limits(100, 100, 100, 5))


def _measured_run(server: Server, database: str, path: Path, name: str, rows: int, limit: float | None) -> list[Line]:
    """One Edit; a line for the whole and one for each phase."""
    district = district_of(path)
    with closing(server.connect(APP, database)) as connection:
        run_id = _begin(connection, district, name)
        marks = [time.perf_counter()]
        staging.load(connection, run_id, district, open_source(district.source, None, district.key))
        marks.append(time.perf_counter())
        plan.make(connection, run_id, district)
        marks.append(time.perf_counter())
        status = apply.apply(connection, run_id, district)
        marks.append(time.perf_counter())
        runs.close(connection, run_id, status, None)
        note = _what_it_did(connection, run_id)
    phases = ("extract, stage, row checks", "plan", "apply")
    seconds = [after - before for before, after in itertools.pairwise(marks)]
    whole = Line(name, sum(seconds), rows, limit=limit, note=note)
    return [whole, *(Line(f"  {phase}", took) for phase, took in zip(phases, seconds, strict=True))]


def _begin(connection: Connection, district: District, name: str) -> int:
    request = runs.RunRequest(
        mode="edit", trigger="manual", started_by="bench", airflow_dag_id=KEY, airflow_run_id=name
    )
    return runs.begin(connection, district, request, is_alive=lambda _dag, _run: False)


def _what_it_did(connection: Connection, run_id: int) -> str:
    with connection, connection.cursor() as cursor:
        cursor.execute("set local role roster_read")
        cursor.execute(
            "select sum(added), sum(updated), sum(unchanged), sum(unshared) from sync.run_counts where run_id = %s",
            (run_id,),
        )
        found = cursor.fetchone() or ()
    words = ("added", "updated", "unchanged", "unshared")
    return ", ".join(f"{count:,} {word}" for count, word in zip(found, words, strict=True) if count)


def _each(seconds: list[float]) -> str:
    return "median of " + ", ".join(f"{took:.2f}" for took in seconds)


def _expectations(server: Server, database: str, path: Path) -> list[Line]:
    """The checks of the whole feed in a fresh process: the import, and the evaluation with its page."""
    with closing(server.connect(APP, database)) as connection:
        district = district_of(path)
        run_id = _begin(connection, district, "expectations")
        staging.load(connection, run_id, district, open_source(district.source, None, district.key))
        with tempfile.TemporaryDirectory() as docs, progress("measuring: Great Expectations"):
            command = [
                sys.executable,
                "-m",
                "ops.bench.expectations",
                server.host,
                database,
                str(run_id),
                str(path),
                docs,
            ]
            said = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True).stdout
        runs.close(connection, run_id, "skipped", None)
    took = json.loads(said.splitlines()[-1])
    return [
        Line("Great Expectations: import", took["import"], note="0 where the worker has it preloaded"),
        Line("Great Expectations: checks, page", took["validate"]),
    ]


def _airflow(server: Server, database: str, path: Path) -> Line:
    """A whole run of the district's DAG on an unchanged feed."""
    with tempfile.TemporaryDirectory() as folder:
        registry = Path(folder) / "registry.yaml"
        registry.write_text(
            f"districts:\n  - key: {KEY}\n    name: Bench\n    timezone: UTC\n    source:\n"
            f"      kind: oneroster_csv\n      path: {path}\n    limits: {{deleted_percent: 100, updated_percent: 100,"
            " enrollments_percent: 100}\n"
        )
        environment = os.environ | portal_connection(server, database) | {"ROSTER_DISTRICTS": str(registry)}
        command = [str(REPOSITORY / "bin" / "airflow"), "dags", "test", f"roster_sync__{KEY}"]
        started = time.perf_counter()
        with progress("measuring: a run through Airflow"):
            done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        seconds = time.perf_counter() - started
    if done.returncode:
        last = (done.stderr.strip().splitlines() or done.stdout.strip().splitlines() or ["no word"])[-1]
        return Line("Airflow: a run of the DAG", seconds, note=f"failed: {last[:80]}")
    return Line("Airflow: a run of the DAG", seconds, note="the engine's work on an unchanged feed included")
